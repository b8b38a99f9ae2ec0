import { PipelineError } from "../error.ts";
import {
  decodeKey,
  encodeKey,
  fillRoute,
  isVisible,
  type Key,
  keyName,
  type LoadedPage,
  type PageId,
  type Row,
  type RowKind,
  visibleColumns,
} from "../site.ts";
import type { Decoded } from "../source/source.ts";
import { BATCH, type Failure, type Found, type PlanContext } from "./context.ts";
import { loadLinks } from "./entries.ts";
import type { PlannedPage } from "./planned.ts";
import { routeName } from "./read-names.ts";
import { loadRead, ownColumns, pick, record } from "./reads.ts";
import { pageTags } from "./tags.ts";

/**
 * The pages a row kind should have, in key order. All rows are looked at, not only visible ones,
 * so that a row whose status is no status is reported instead of taken for a draft.
 */
export async function* findRowPages(
  kind: RowKind,
  { rows, now }: PlanContext,
): AsyncGenerator<readonly Found[]> {
  const see = existenceColumns(kind);
  let after: Key | undefined;
  for (;;) {
    const batch = await rows.scan(kind.table, { see, after, limit: BATCH });
    yield batch.flatMap((decoded) => foundRow(kind, decoded, now));
    const last = batch.at(-1)?.key;
    if (batch.length < BATCH || last === undefined) return;
    after = last;
  }
}

/** Loads pages with all their declared reads, batched; a page whose row is bad is a failure. */
export async function loadRowPages(
  kind: RowKind,
  context: PlanContext,
  pages: readonly PlannedPage[],
): Promise<readonly (LoadedPage | Failure)[]> {
  const decoded = await context.rows.rows(kind.table, {
    see: columnsOf(kind),
    keys: pages.map(({ key }) => decodeKey(key)),
  });
  const good = pages.flatMap((page, at) => {
    const row = decoded[at]?.row;
    return row === undefined ? [] : [{ page, row }];
  });
  const loaded = await loadGood(kind, context, good);
  let next = 0;
  return pages.map((page, at) => {
    if (decoded[at]?.row !== undefined) return loaded[next++] as LoadedPage;
    return { page, error: decoded[at]?.error ?? vanished(kind, page) };
  });
}

async function loadGood(
  kind: RowKind,
  context: PlanContext,
  pages: readonly { readonly page: PlannedPage; readonly row: Row }[],
): Promise<readonly LoadedPage[]> {
  const own = pages.map(({ row }) => row);
  const names = Object.keys(kind.reads);
  const reads = await Promise.all(
    Object.values(kind.reads).map((read) => loadRead(context, read, own)),
  );
  const links = await loadLinks(context, kind.links, own);
  const template = { key: `template:${kind.name}`, digest: context.fingerprint(kind) };
  return pages.map(({ page, row }, at) => {
    const results = reads.map((each) => each[at]).filter((each) => each !== undefined);
    const seen = pick(row, kind.see);
    const lastmod = kind.lastmod && row[kind.lastmod];
    const name = keyName(kind.table.key.map((column) => row[column]) as Key);
    const tags = pageTags(kind, page.key, row);
    return {
      ...idOf(page),
      route: page.route,
      template: kind.template,
      start: undefined,
      lastmod: typeof lastmod === "number" ? lastmod : undefined,
      tags,
      markdown: Object.fromEntries(
        Object.entries(kind.html).map(([to, { column }]) => [to, String(row[column] ?? "")]),
      ),
      reads: [
        template,
        record(`row:${kind.table.name}/${name}`, [seen, lastmod, tags]),
        ...results.map(({ read }) => read),
        record(`page:${page.route}#links`, links[at]?.hrefs),
      ],
      uses: [...results.flatMap(({ uses }) => uses), ...(links[at]?.routes ?? []).map(routeName)],
      data: {
        row: seen,
        hrefs: links[at]?.hrefs,
        ...Object.fromEntries(results.map(({ value }, n) => [names[n] ?? "", value])),
      },
    };
  });
}

/** The page that a row should have now; none when readers may not see it. */
export function foundRow(kind: RowKind, { key, row, error }: Decoded, now: number): Found[] {
  const bytes = key === undefined ? undefined : encodeKey(key);
  if (error !== undefined || bytes === undefined) return error ? [{ key: bytes, error }] : [];
  if (!isVisible(kind.visible, row, now)) return [];
  try {
    return [{ key: bytes, route: fillRoute(kind.route, row) }];
  } catch (cause) {
    if (!(cause instanceof PipelineError)) throw cause;
    return [{ key: bytes, error: placed(cause, kind, key) }];
  }
}

/** The same error with the row it is about. */
function placed(error: PipelineError, kind: RowKind, key: Key): PipelineError {
  const at = { table: kind.table.name, key: keyName(key), ...error.at };
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new PipelineError(error.code, error.message, { ...hint, at, cause: error.cause });
}

/** Every column that decides whether a page of this kind exists and where. */
export function existenceColumns({ route, visible }: RowKind): readonly string[] {
  return unique([...route.columns, ...visibleColumns(visible)]);
}

/** Every column that pages of this kind are made from. */
export function rowKindColumns(kind: RowKind): readonly string[] {
  return unique([...existenceColumns(kind), ...columnsOf(kind)]);
}

/** Every column a page's data are made from. */
function columnsOf(kind: RowKind): readonly string[] {
  const links = Object.values(kind.links).flatMap(({ columns }) => columns);
  const reads = Object.values(kind.reads).flatMap(ownColumns);
  const tags = kind.tags.map(({ column }) => column);
  const bodies = Object.values(kind.html).map(({ column }) => column);
  const lastmod = kind.lastmod === undefined ? [] : [kind.lastmod];
  return unique([...kind.see, ...links, ...reads, ...tags, ...bodies, ...lastmod]);
}

function vanished(kind: RowKind, { key, route }: PlannedPage): PipelineError {
  const at = { table: kind.table.name, key: keyName(decodeKey(key)), route };
  return new PipelineError("row_invalid", "The row went away while the run was going on.", {
    hint: "Run the build again.",
    at,
  });
}

function idOf({ kind, key }: PageId): PageId {
  return { kind, key };
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
