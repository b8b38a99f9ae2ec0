import { encodeKey } from "../site.ts";
import { type CompareContext, compareRows } from "./compare.ts";
import { BATCH, type PlanContext } from "./context.ts";
import { checksums, isSameSum, keysOf, knownSpans, type Span } from "./ranges.ts";
import type { TableUse } from "./row-state.ts";

/** What looking through rows takes; nothing is written. */
export type LookContext = CompareContext & Pick<PlanContext, "site" | "making">;

/** What was found up to somewhere. */
export interface LookedThrough {
  /** Rows that are not what the ledger knows, also those that are gone. */
  readonly keys: readonly Uint8Array[];
  /** The keys that are still to be looked through; undefined when none are. */
  readonly rest: Keys | undefined;
}

/** Keys after one, up to and with another; undefined is before or after all. */
interface Keys {
  readonly after: Uint8Array | undefined;
  readonly upTo: Uint8Array | undefined;
}

/**
 * Finds the rows among these keys that differ from what the ledger knows, in key order and a few at a
 * time, so that whoever asks may stop and go on later. Ranges that sum up the same are not fetched.
 */
export async function* lookThrough(
  use: TableUse,
  context: LookContext,
  { after, upTo }: Keys,
): AsyncGenerator<LookedThrough> {
  let from = after;
  for await (const known of knownSpans(use, context, after)) {
    for (const span of await differing(use, context, within(known, upTo))) {
      const some = { range: keysOf(span), limit: BATCH };
      for await (const { seen, last } of compareRows(use, context, some)) {
        // Behind the last row there may be some that are gone.
        if (last !== undefined) from = encodeKey(last);
        yield { keys: seen.map(({ key }) => key), rest: { after: from, upTo } };
      }
      from = span.end ?? from;
    }
    from = known.at(-1)?.end;
    const isOver = from === undefined || isBeyond(from, upTo);
    yield { keys: [], rest: isOver ? undefined : { after: from, upTo } };
    if (isOver) return;
  }
}

/** Spans that may hold other rows than those that are known. */
async function differing(
  use: TableUse,
  { rows: { ranges }, site, making }: LookContext,
  spans: Awaited<ReturnType<typeof within>>,
): Promise<readonly Span[]> {
  const sums = ranges && (await checksums(use, { ranges, site, making }, spans));
  return spans.filter(({ checksum }, at) => {
    const sum = sums?.[at];
    return sum === undefined || !isSameSum(checksum, sum.checksum);
  });
}

/** Of a span that is cut off the checksum is no longer known. */
function within(
  spans: readonly (Span & { readonly checksum: Uint8Array | undefined })[],
  upTo: Uint8Array | undefined,
) {
  return spans
    .filter(({ start }) => !isBeyond(start, upTo))
    .map((span) => {
      const isCut = upTo !== undefined && (span.end === undefined || isBeyond(span.end, upTo));
      return isCut ? { ...span, end: upTo, checksum: undefined } : span;
    });
}

/** At the end, or behind it. */
function isBeyond(key: Uint8Array, end: Uint8Array | undefined): boolean {
  return end !== undefined && Buffer.compare(key, end) >= 0;
}
