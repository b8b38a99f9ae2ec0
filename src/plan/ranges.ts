import type { KnownRange } from "../ledger/ledger.ts";
import { decodeKey, digestOf, encodeKey } from "../site.ts";
import type { KeyRange, RowRanges } from "../source/source.ts";
import { compareRows } from "./compare.ts";
import type { PlanContext } from "./context.ts";
import type { TableUse } from "./row-state.ts";

/** Ranges of one statement: some 10,000 rows, which take the database a fraction of a second. */
const SPANS = 20;
const CHECKSUM_BYTES = 8;
const FIRST: KnownRange = { start: new Uint8Array(0), checksum: undefined };

/** How a table is scanned. */
export interface ScanOptions {
  /** Told of each batch of rows that was looked at, with its size. */
  readonly onRows: (rows: number) => void | Promise<void>;
  /** Rows of ranges that sum up to what is known are not looked at; the clock may change them all the same. */
  readonly trustsSums: boolean;
}

/** All rows after `start`, up to and with `end`, which is undefined for the last span of a table. */
export interface Span {
  readonly start: Uint8Array;
  readonly end: Uint8Array | undefined;
}

/** Rows of a span that were compared. */
interface Cut extends Span {
  readonly rows: number;
  /** Its bad rows are told by every build. */
  readonly hasFailed: boolean;
}

type RangeContext = PlanContext & { readonly ranges: RowRanges };
type SumContext = Pick<RangeContext, "ranges" | "site" | "making">;

/**
 * Lets the database sum up the ranges that the ledger knows, and compares the rows of those only
 * that sum up to something else. They are cut anew; their checksums are kept with the run.
 */
export async function scanRanges(
  use: TableUse,
  context: RangeContext,
  options: ScanOptions,
): Promise<number> {
  let changed = 0;
  for await (const span of differing(use, context, options)) {
    changed += await compareSpan(use, context, { span, ...options });
  }
  return changed;
}

/** Spans whose rows may not be those that are known, as long as can be. */
async function* differing(
  use: TableUse,
  context: RangeContext,
  { trustsSums, onRows }: ScanOptions,
): AsyncGenerator<Span> {
  const { ledger, run } = context;
  let open: Span | undefined;
  for await (const spans of knownSpans(use, context)) {
    const sums = trustsSums ? await checksums(use, context, spans) : [];
    const [done, gone]: [Span[], Uint8Array[]] = [[], []];
    for (const [at, { start, end, checksum }] of spans.entries()) {
      const sum = sums[at];
      if (sum !== undefined && isSameSum(checksum, sum.checksum)) {
        await onRows(sum.rows);
        if (open !== undefined) done.push(open);
        open = undefined;
      } else {
        if (open !== undefined) gone.push(start);
        open = { start: open?.start ?? start, end };
      }
    }
    // Before the spans: where one of these begins again is told later, and that counts.
    if (gone.length > 0) await ledger.seeRanges(run, { table: use.table.name, ranges: [], gone });
    yield* done;
  }
  if (open !== undefined) yield open;
}

/** What the ledger knows, in batches; together they cover every key there can be after `from`. */
export async function* knownSpans(
  { table }: TableUse,
  { ledger }: Pick<PlanContext, "ledger">,
  from?: Uint8Array,
): AsyncGenerator<readonly (Span & KnownRange)[]> {
  let open = from && { ...FIRST, start: from };
  for (;;) {
    const found: readonly KnownRange[] = await ledger.ranges(table.name, open?.start, SPANS);
    const first = open ?? (found[0]?.start.length === 0 ? undefined : FIRST);
    const all = first === undefined ? found : [first, ...found];
    const spans = all.map((range, at) => ({ ...range, end: all[at + 1]?.start }));
    if (found.length < SPANS) {
      yield spans;
      return;
    }
    yield spans.slice(0, -1);
    open = all.at(-1);
  }
}

/** Compares the rows of a span, and keeps with the run where its ranges begin and what they sum up to. */
async function compareSpan(
  use: TableUse,
  context: RangeContext,
  { span, onRows }: ScanOptions & { readonly span: Span },
): Promise<number> {
  const limit = context.ranges.size;
  let cuts: readonly Cut[] = [];
  let { start } = span;
  const all = { range: keysOf(span), limit };
  let changed = 0;
  for await (const { rows, seen, last, hasFailed, isTail } of compareRows(use, context, all)) {
    if (seen.length > 0) await context.ledger.see(context.run, seen);
    changed += seen.length;
    if (isTail) continue;
    await onRows(rows);
    const end = last === undefined ? span.end : encodeKey(last);
    cuts = [...cuts, { start, end, rows, hasFailed }];
    if (end !== undefined) start = end;
    // The last two may become one.
    if (cuts.length < SPANS + 2) continue;
    await keep(use, context, cuts.slice(0, SPANS));
    cuts = cuts.slice(SPANS);
  }
  await keep(use, context, withoutStub(cuts, limit));
  return changed;
}

/** Lets a short last cut be a part of the one before. */
function withoutStub(cuts: readonly Cut[], size: number): readonly Cut[] {
  const [before, last] = cuts.slice(-2);
  if (before === undefined || last === undefined || 2 * last.rows >= size) return cuts;
  const rows = before.rows + last.rows;
  const hasFailed = before.hasFailed || last.hasFailed;
  return [...cuts.slice(0, -2), { start: before.start, end: last.end, rows, hasFailed }];
}

async function keep(use: TableUse, context: RangeContext, cuts: readonly Cut[]): Promise<void> {
  const sums = await checksums(use, context, cuts);
  const ranges = cuts.map(({ start, hasFailed }, at) => {
    return { start, checksum: hasFailed ? undefined : sums[at]?.checksum };
  });
  await context.ledger.seeRanges(context.run, { table: use.table.name, ranges, gone: [] });
}

/** What spans sum up to. Of rows that are read otherwise than before every checksum is another one. */
export async function checksums(
  use: TableUse,
  { ranges, site, making }: SumContext,
  spans: readonly Span[],
) {
  const { table, see, deps, moments } = use;
  const [code] = site.kinds.map((kind) => making(kind)["runtime:nightbake"]);
  const reading = digestOf([table, see, deps, moments, code]);
  const sums = await ranges.sums(table, see, spans.map(keysOf));
  return sums.map(({ rows, text }) => {
    return { rows, checksum: digestOf([reading, text]).subarray(0, CHECKSUM_BYTES) };
  });
}

/** True when rows sum up to what is known of them. */
export function isSameSum(known: Uint8Array | undefined, now: Uint8Array): boolean {
  return known !== undefined && Buffer.compare(known, now) === 0;
}

/** The keys of a span, as a source is asked for them. */
export function keysOf({ start, end }: Span): KeyRange {
  return {
    after: start.length === 0 ? undefined : decodeKey(start),
    upTo: end && decodeKey(end),
  };
}
