import type { RecordedRead } from "../site.ts";

const DIGEST_BYTES = 16;

/** What a page was made from: its declared reads, and the routes its bodies refer to. */
export interface Trace {
  readonly reads: readonly RecordedRead[];
  readonly refs: readonly Ref[];
}

/** Whether a route that a body refers to existed when the page was made. */
export interface Ref {
  readonly route: string;
  readonly exists: boolean;
}

/** A trace as the ledger keeps it: read keys are left out, they follow from the page's kind and rows. */
export interface StoredTrace {
  readonly digests: readonly Buffer[];
  readonly refs: readonly Ref[];
}

/** One byte for the number of reads, 16 for each digest, then a line `+/route/` or `-/route/` a ref. */
export function encodeTrace({ reads, refs }: Trace): Buffer {
  const lines = refs.map(({ route, exists }) => `${exists ? "+" : "-"}${route}`).join("\n");
  return Buffer.concat([
    Buffer.of(reads.length),
    ...reads.map((each) => each.digest),
    Buffer.from(lines, "utf8"),
  ]);
}

/** The inverse of {@link encodeTrace}; an empty trace (a page in doubt) has no digests. */
export function decodeTrace(bytes: Uint8Array): StoredTrace {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = buffer[0] ?? 0;
  const end = 1 + count * DIGEST_BYTES;
  const digests = Array.from({ length: count }, (_, at) =>
    buffer.subarray(1 + at * DIGEST_BYTES, 1 + (at + 1) * DIGEST_BYTES),
  );
  const lines = buffer.subarray(end).toString("utf8").split("\n").filter(Boolean);
  return {
    digests,
    refs: lines.map((line) => ({ route: line.slice(1), exists: line[0] === "+" })),
  };
}

/** The first declared read that is not as it was; undefined when all are. */
export function changedRead(
  stored: StoredTrace,
  reads: readonly RecordedRead[],
): RecordedRead | undefined {
  if (stored.digests.length !== reads.length) return reads[0];
  return reads.find((read, at) => stored.digests[at]?.equals(read.digest) !== true);
}
