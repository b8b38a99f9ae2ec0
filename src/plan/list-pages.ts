import { PipelineError } from "../error.ts";
import {
  type AnyList,
  checkRoute,
  decodeKey,
  encodeKey,
  encodeRoute,
  fillRoute,
  hasPrefix,
  type Key,
  type ListKind,
  type LoadedPage,
  type Row,
} from "../site.ts";
import type { Place, Window } from "../source/source.ts";
import { BATCH, type Found, type PlanContext } from "./context.ts";
import { type Entry, entriesOf } from "./entries.ts";
import { type PlannedPage, plannedRange, plannedRoutes } from "./planned.ts";
import { archiveName, partName, routeName } from "./read-names.ts";
import { loadRead, record } from "./reads.ts";
import { pageTags } from "./tags.ts";
import {
  bucketBound,
  type FoundWindow,
  type ListWindow,
  windowCutter,
  windowKey,
  windowOf,
} from "./windows.ts";

/** Places are small, so more of them are read at a time. */
const PLACES = BATCH * 10;

/** The head and archive pages a list should have, in key order. */
export async function* findListPages(
  kind: ListKind,
  { rows }: PlanContext,
): AsyncGenerator<readonly Found[]> {
  const next = windowCutter(kind.list);
  let after: Place | undefined;
  for (;;) {
    const places = await rows.places(kind.list, after, PLACES);
    yield places
      .flatMap(({ part, order }) => next({ part, order: order as Key }))
      .map((window) => foundWindow(kind, window));
    if (places.length < PLACES) return;
    after = places.at(-1);
  }
}

/** Loads list pages with their entries; all windows of a batch in one request. */
export async function loadListPages(
  kind: ListKind,
  context: PlanContext,
  pages: readonly PlannedPage[],
): Promise<readonly LoadedPage[]> {
  const windows = pages.map((page) => windowOf(kind.list, decodeKey(page.key)));
  const own = windows.map(({ part }): Row => ({ part }));
  const ranges = pages.map((page, at) => toWindow(kind.list, windows[at] ?? HEAD, page.start));
  const rows = await context.rows.windows(kind.list, ranges);
  const [entries, heads, ...reads] = await Promise.all([
    entriesOf(context, kind.list, rows),
    plannedRoutes(context, [...new Set(windows.map((window) => headRoute(kind, window)))]),
    ...Object.values(kind.reads).map((read) => loadRead(context, read, own)),
  ]);
  const names = Object.keys(kind.reads);
  return await Promise.all(
    pages.map(async (page, at) => {
      const window = windows[at] ?? HEAD;
      const shown = await describe(kind, context, {
        page,
        window,
        entries: entries[at] ?? [],
        isWhole: (rows[at]?.length ?? 0) < kind.list.head,
        heads,
      });
      const results = reads.map((each) => each[at]).filter((each) => each !== undefined);
      const values = results.map(({ value }, n) => [names[n] ?? "", value]);
      return {
        ...shown,
        uses: [...shown.uses, ...results.flatMap(({ uses }) => uses)],
        reads: [...shown.reads, ...results.map(({ read }) => read)],
        data: { ...shown.data, ...Object.fromEntries(values) },
      };
    }),
  );
}

/** A list page without its declared reads. */
async function describe(
  kind: ListKind,
  context: PlanContext,
  from: {
    readonly page: PlannedPage;
    readonly window: ListWindow;
    readonly entries: readonly Entry[];
    /** For a head page: it shows the whole list, so there is no archive. */
    readonly isWhole: boolean;
    /** Head routes that exist. */
    readonly heads: ReadonlySet<string>;
  },
): Promise<LoadedPage> {
  const { page, window, entries, isWhole, heads } = from;
  const { part, archive } = window;
  const head = headRoute(kind, window);
  const data = {
    part,
    window: archive,
    entries: archive === undefined ? entries : entries.toReversed(),
    archive: archive === undefined && !isWhole ? await archiveOf(context, page) : [],
    head: heads.has(head) ? encodeRoute(head) : undefined,
  };
  return {
    kind: page.kind,
    key: page.key,
    route: page.route,
    template: kind.template,
    start: page.start,
    lastmod: newestInstant(kind.list, entries),
    tags: pageTags(kind, page.key, { part }),
    markdown: {},
    uses: [archive === undefined ? archiveName(kind.name, part) : routeName(head)],
    reads: [
      { key: `template:${kind.name}`, digest: context.fingerprint(kind) },
      record(`list:${kind.list.name}/${partName(part)}#${archive?.name ?? "head"}`, data),
    ],
    data,
  };
}

const HEAD: ListWindow = { part: undefined, archive: undefined };

/** The page that a window should have. */
export function foundWindow(kind: ListKind, window: FoundWindow): Found {
  const key = encodeKey(windowKey(window));
  try {
    const head = headRoute(kind, window);
    const route =
      window.archive === undefined ? head : checkRoute(`${head}${window.archive.name}/`);
    const start = window.start === undefined ? undefined : encodeKey(window.start);
    return { key, route, start };
  } catch (cause) {
    if (!(cause instanceof PipelineError)) throw cause;
    return { key, error: cause };
  }
}

function headRoute(kind: ListKind, { part }: ListWindow): string {
  return fillRoute(kind.route, { part });
}

function toWindow(
  { head, cut }: AnyList,
  { part, archive }: ListWindow,
  start: Uint8Array | undefined,
): Window {
  if (start === undefined) return { part, first: "newest", limit: head };
  const from = { order: decodeKey(start), isInclusive: true };
  return { part, from, ...bucketBound(cut, archive?.bucket), first: "oldest", limit: cut.max };
}

/** The archive pages of a head page, newest first. */
async function archiveOf(
  context: PlanContext,
  head: PlannedPage,
): Promise<readonly { readonly name: string; readonly href: string }[]> {
  const archive: { name: string; href: string }[] = [];
  for await (const { key, route } of plannedRange(context, head.kind, head.key)) {
    if (!hasPrefix(key, head.key)) break;
    const name = route.slice(head.route.length, -1);
    archive.push({ name, href: encodeRoute(route) });
  }
  return archive.reverse();
}

/** When the list is ordered by an instant, the newest one shown. */
function newestInstant(list: AnyList, entries: readonly Entry[]): number | undefined {
  const column = list.order[0] ?? "";
  if (list.table.columns[column]?.type !== "instant") return undefined;
  const instants = entries.map((entry) => entry[column]).filter((at) => typeof at === "number");
  return instants.length === 0 ? undefined : instants.reduce((a, b) => Math.max(a, b));
}
