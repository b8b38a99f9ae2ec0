import { PipelineError, type Problem } from "../error.ts";
import { didYouMean } from "../nearest.ts";
import {
  type AnyTable,
  decodeKey,
  encodeKey,
  hasPrefix,
  type Key,
  type KeyPart,
  type ListKind,
  type PageId,
  redirectKind,
  type Site,
  tablesOf,
} from "../site.ts";
import type { Place } from "../source/source.ts";
import { stageChecks } from "./checks.ts";
import { BATCH, type PlanContext } from "./context.ts";
import { plannedRange } from "./planned.ts";
import { touchRedirects } from "./redirects.ts";
import type { TableUse } from "./row-state.ts";
import { lookUp } from "./scan.ts";
import type { Touched } from "./touched.ts";

/** What somebody asks to be looked at: rows, whole partitions of lists, or pages by route. */
export type Target =
  | { readonly is: "row"; readonly table: AnyTable; readonly key: Key }
  | { readonly is: "part"; readonly kind: ListKind; readonly part: KeyPart | undefined }
  | { readonly is: "route"; readonly route: string };

/** A row that somebody says changed. */
export interface NamedRow {
  readonly table: AnyTable;
  readonly key: Key;
}

/** Keeps with the run which of the rows named changed; gives how many. */
export async function seeNamed(
  context: PlanContext,
  uses: readonly TableUse[],
  changes: AsyncIterable<readonly NamedRow[]>,
): Promise<number> {
  let changed = 0;
  for await (const rows of changes) {
    for (const [table, own] of Map.groupBy(rows, (row) => row.table)) {
      const use = uses.find((each) => each.table === table);
      const keys = own.map(({ key }) => key);
      if (use !== undefined) changed += await lookUp(use, keys, context);
    }
  }
  return changed;
}

/**
 * Reads targets as people write them: `article:42` (a kind with a page for each row, or a table),
 * `tag:scaling` (a kind of lists), `/articles/x/` (a route); keys of several columns with `,`.
 * @throws PipelineError `input_invalid` with every one that names nothing
 */
export function parseTargets(texts: readonly string[], site: Site): readonly Target[] {
  const problems: Problem[] = [];
  const targets = texts.flatMap((text) => {
    const target = parseTarget(text, site);
    if (typeof target !== "string") return [target];
    problems.push({ place: text, message: target });
    return [];
  });
  if (problems.length === 0) return targets;
  throw new PipelineError("input_invalid", "Some targets name nothing.", {
    hint: "Write KIND:KEY, TABLE:KEY, or a route that begins with a slash.",
    problems,
  });
}

/**
 * Keeps with the run which of the rows asked for changed, stages checks for the pages asked for, and
 * touches the lists asked for. Gives the number of rows that changed.
 */
export async function seeTargets(
  context: PlanContext,
  uses: readonly TableUse[],
  targets: readonly Target[],
  touched: Touched,
): Promise<number> {
  const keys = new Map<AnyTable, Key[]>();
  const pages: PageId[] = [];
  const add = (table: AnyTable, own: readonly Key[]) =>
    keys.set(table, [...(keys.get(table) ?? []), ...own]);
  for (const target of targets) {
    if (target.is === "row") add(target.table, [target.key]);
    else if (target.is === "route") {
      pages.push(...(await pageAt(target.route, context)));
      const table = redirectKind(context.site.kinds)?.list?.table;
      if (table !== undefined) add(table, [[target.route]]);
      await touchRedirects(context, touched, [target.route]);
    } else pages.push(...(await partPages(target, context, { touched, add })));
  }
  for (const page of pages) {
    const kind = context.site.kinds.find(({ name }) => name === page.kind);
    if (kind?.is === "row") add(kind.table, [decodeKey(page.key)]);
  }
  await stageChecks(context, pages, "asked");
  let changed = 0;
  for (const [table, own] of keys) {
    const use = uses.find((each) => each.table === table);
    for (let at = 0; use !== undefined && at < own.length; at += BATCH) {
      changed += await lookUp(use, own.slice(at, at + BATCH), context);
    }
  }
  return changed;
}

function parseTarget(text: string, site: Site): Target | string {
  if (text.startsWith("/")) return { is: "route", route: text };
  const [, name = "", value = ""] = /^([^:]+):(.*)$/s.exec(text) ?? [];
  const kind = site.kinds.find((each) => each.name === name);
  if (kind?.is === "list") {
    const by = kind.list.by;
    const part = by === undefined ? undefined : keyPart(kind.list.table, by, value);
    return part === null ? `${value} is no ${by}.` : { is: "part", kind, part };
  }
  if (kind?.is === "redirect") return { is: "route", route: value };
  const tables = tablesOf(site.kinds);
  const table = kind?.is === "row" ? kind.table : tables.find((each) => each.name === name);
  if (table === undefined) {
    const names = [...site.kinds, ...tables].map((each) => each.name);
    return `There is no kind or table "${name}".${didYouMean(name, names)}`;
  }
  const values = table.key.length === 1 ? [value] : value.split(",");
  if (values.length !== table.key.length) return `The key is (${table.key.join(", ")}).`;
  const key = values.map((each, at) => keyPart(table, table.key[at] ?? "", each));
  if (key.includes(null)) return `${value} is no key of ${table.name}.`;
  return { is: "row", table, key: key.filter((part) => part !== null) };
}

/** Null when the text is no value of the column. */
function keyPart(table: AnyTable, column: string, text: string): KeyPart | null {
  const type = table.columns[column]?.type;
  if (type !== "int" && type !== "bigint" && type !== "instant") return text;
  if (!/^-?\d{1,19}$/.test(text)) return null;
  return type === "bigint" ? BigInt(text) : Number(text);
}

async function pageAt(route: string, { ledger }: PlanContext): Promise<readonly PageId[]> {
  const found = await ledger.liveAt([route]);
  return [...found.values()];
}

/** The pages of a partition; its entries' rows are looked up, too. */
async function partPages(
  { kind, part }: Target & { readonly is: "part" },
  context: PlanContext,
  to: { readonly touched: Touched; readonly add: (table: AnyTable, keys: readonly Key[]) => void },
): Promise<readonly PageId[]> {
  const { list, name } = kind;
  let from: { readonly order: readonly unknown[]; readonly isInclusive: boolean } | undefined;
  for (;;) {
    const window = { part, first: "oldest", limit: BATCH, ...(from && { from }) } as const;
    const [places = []] = await context.rows.placesIn(list, [window]);
    const [entries = []] = await context.rows.windows(list, [window]);
    for (const place of places) to.touched.place(list, withPart(place, part));
    to.add(
      list.table,
      entries.flatMap(({ key }) => (key === undefined ? [] : [key])),
    );
    if (places.length < BATCH) break;
    from = { order: places.at(-1)?.order ?? [], isInclusive: false };
  }
  const headKey = encodeKey(part === undefined ? [] : [part]);
  const pages: PageId[] = [{ kind: name, key: headKey }];
  for await (const { key } of plannedRange(context, name, headKey)) {
    if (!hasPrefix(key, headKey)) break;
    pages.push({ kind: name, key });
  }
  return pages;
}

function withPart({ order }: Place, part: KeyPart | undefined): Place {
  return { part: part ?? null, order };
}
