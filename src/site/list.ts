import type { Refs, RouteTemplate } from "./route.ts";
import { refs } from "./route.ts";
import type { AnyTable, Row, Table } from "./table.ts";

/** Which rows readers may see: data, so that SQL and clock reads follow from it. */
export interface Visible<R extends Row = Row> {
  /** Columns that must hold these values. */
  readonly show?: Readonly<Partial<R>>;
  /** An instant column: visible from that moment on (inclusive). */
  readonly from?: keyof R & string;
  /** An instant column: no longer visible at that moment (exclusive); NULL means for ever. */
  readonly until?: keyof R & string;
}

/** Calendar unit (UTC) of an archive bucket. */
export type Unit = "year" | "month" | "day";

/**
 * How an archive is cut. `calendar`: buckets named by their time, cut again inside after `max`
 * entries counted from the oldest. `appendOnly`: numbered from the oldest entry, `max` each.
 */
export type Cut =
  | { readonly by: "calendar"; readonly unit: Unit; readonly column: string; readonly max: number }
  | { readonly by: "appendOnly"; readonly max: number };

/** An entry is the link to a page: the entry is shown only while that page exists. */
export interface ItemLink {
  readonly kind: string;
  /** Columns of the entry that are the page's key, in its order. */
  readonly key: readonly string[];
}

/** What the rest of the pipeline needs to know of a list, whatever its row type. */
export interface AnyList {
  /** `articles_by_tag`; unique in a site, part of read keys. */
  readonly name: string;
  readonly table: AnyTable;
  /** Partition column; undefined when the list is one. */
  readonly by: string | undefined;
  /** Oldest first; the last columns make it total (ties are broken by key). */
  readonly order: readonly string[];
  readonly visible: Visible;
  /** The columns an entry shows. */
  readonly see: readonly string[];
  readonly item: ItemLink | undefined;
  /** Other routes an entry may point to; an entry has the href only while that route exists. */
  readonly links: Readonly<Record<string, RouteTemplate>>;
  /** Entries on the head page. */
  readonly head: number;
  readonly cut: Cut;
}

/** Columns that an entry is made from: what it shows, and what its links need. */
export function entryColumns({ see, item, links }: AnyList): readonly string[] {
  const linked = Object.values(links).flatMap(({ columns }) => columns);
  return [...new Set([...see, ...(item?.key ?? []), ...linked])];
}

/** A declared list; `P` is the type of its partition value. Build with {@link list}. */
export interface List<P = unknown> extends AnyList {
  /** Never set: carries `P`. */
  readonly part?: P;
}

type NameOf<R extends Row> = keyof R & string;

/** Declares an ordered, partitioned list over one table. */
export function list<R extends Row, K extends keyof R, const B extends NameOf<R> = never>(
  table: Table<R, K>,
  parts: Visible<R> & {
    readonly by?: B;
    readonly order: readonly NameOf<R>[];
    readonly see?: readonly NameOf<R>[];
    readonly item?: { readonly kind: string; readonly key: readonly NameOf<R>[] };
    readonly links?: (row: Refs<R>) => Readonly<Record<string, RouteTemplate>>;
    readonly head?: number;
    readonly cut: Cut;
    readonly name?: string;
  },
): List<[B] extends [never] ? undefined : R[B]> {
  const { by, order, show, from, until, head = 20, cut, item } = parts;
  return {
    name: parts.name ?? (by === undefined ? table.name : `${table.name}_by_${by}`),
    table,
    by,
    order,
    visible: visibility({ show, from, until }),
    see: parts.see ?? Object.keys(table.columns),
    item,
    links: parts.links?.(refs<R>()) ?? {},
    head,
    cut,
  };
}

/** Drops what is not set, so that two equal visibilities are equal values. */
export function visibility(parts: {
  readonly show?: Row | undefined;
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}): Visible {
  const { show = {}, from, until } = parts;
  return {
    show,
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
  };
}

/** Makes each entry the link to a page: `link("article", "article_id")`. */
export function link<const C extends string>(
  kind: string,
  ...key: readonly C[]
): { readonly kind: string; readonly key: readonly C[] } {
  return { kind, key };
}

/** An archive page for each year with entries, cut again after `max` of them. */
export function byYear(column: string, options: { readonly max?: number } = {}): Cut {
  return calendar("year", column, options.max);
}

/** An archive page for each month with entries, cut again after `max` of them. */
export function byMonth(column: string, options: { readonly max?: number } = {}): Cut {
  return calendar("month", column, options.max);
}

/** An archive page for each day with entries, cut again after `max` of them. */
export function byDay(column: string, options: { readonly max?: number } = {}): Cut {
  return calendar("day", column, options.max);
}

/** Archive pages of `max` entries numbered from the oldest: for streams that only grow. */
export function appendOnly(options: { readonly max?: number } = {}): Cut {
  return { by: "appendOnly", max: options.max ?? DEFAULT_MAX };
}

const DEFAULT_MAX = 50;

function calendar(unit: Unit, column: string, max = DEFAULT_MAX): Cut {
  return { by: "calendar", unit, column, max };
}
