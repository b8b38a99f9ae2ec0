import { digestOf, type RecordedRead } from "../site.ts";
import { routeName } from "./read-names.ts";

const DIGEST_BYTES = 16;

/** What a page was made from: its declared reads, what it shares, and the routes its bodies refer to. */
export interface Trace {
  readonly reads: readonly RecordedRead[];
  readonly uses: readonly Uint8Array[];
  readonly refs: readonly Ref[];
}

/** Whether a route that a body refers to existed when the page was made. */
export interface Ref {
  readonly route: string;
  readonly exists: boolean;
}

/** A trace as the ledger keeps it: read keys are left out, they follow from the page's kind and rows. */
export interface StoredTrace extends Pick<Trace, "uses" | "refs"> {
  readonly digests: readonly Buffer[];
}

/**
 * One byte for the number of reads, 16 for each digest; one for the number of shared names, each
 * after its length; then a line `+/route/` or `-/route/` a ref.
 */
export function encodeTrace({ reads, uses, refs }: Trace): Buffer {
  const lines = refs.map(({ route, exists }) => `${exists ? "+" : "-"}${route}`).join("\n");
  return Buffer.concat([
    Buffer.of(reads.length),
    ...reads.map((each) => each.digest),
    Buffer.of(uses.length),
    ...uses.flatMap((each) => [Buffer.of(each.length), each]),
    Buffer.from(lines),
  ]);
}

/** The inverse of {@link encodeTrace}; an empty trace (a page in doubt) has nothing. */
export function decodeTrace(bytes: Uint8Array): StoredTrace {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = buffer[0] ?? 0;
  let at = 1;
  const take = (size: number) => {
    at += size;
    return buffer.subarray(at - size, at);
  };
  const digests = Array.from({ length: count }, () => take(DIGEST_BYTES));
  const shared = take(1)[0] ?? 0;
  const uses = Array.from({ length: shared }, () => take(take(1)[0] ?? 0));
  const lines = buffer.subarray(at).toString("utf8").split("\n").filter(Boolean);
  return {
    digests,
    uses,
    refs: lines.map((line) => ({ route: line.slice(1), exists: line[0] === "+" })),
  };
}

/** Everything under which the ledger finds the page, its bodies' routes included; each once. */
export function usesOf({
  uses,
  refs,
}: Pick<Trace, "uses" | "refs">): ReadonlyMap<string, Uint8Array> {
  const all = [...uses, ...refs.map(({ route }) => routeName(route))];
  return new Map(all.map((each) => [Buffer.from(each).toString("latin1"), each]));
}

/** The name of the first declared read that is not as it was, as it was recorded; undefined when all are. */
export function changedRead(
  stored: StoredTrace,
  reads: readonly RecordedRead[],
): string | undefined {
  if (stored.digests.length !== reads.length) return reads[0]?.key;
  const at = reads.findIndex((read, n) => stored.digests[n]?.equals(read.digest) !== true);
  const key = reads[at]?.key;
  const name = key?.match(/^(?:row|absent)(:.*)/s)?.[1];
  if (name === undefined) return key;
  return `${stored.digests[at]?.equals(ABSENT) ? "absent" : "row"}${name}`;
}

/** What is recorded of a row that is not there. */
const ABSENT = digestOf(undefined);
