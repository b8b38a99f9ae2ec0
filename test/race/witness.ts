import { bytesTag } from "../../src/publish/bytes-tag.ts";
import type { Artifact } from "../../src/site.ts";

/** The source position whose rows a run read. */
export interface Reader {
  readonly name: string;
  /** Undefined until it has read. */
  position: number | undefined;
}

/** What was written, counted. */
export interface WriteSums {
  puts: number;
  deletes: number;
  /** Puts that gave an object other headers and the same bytes, hence the same entity tag. */
  headersOnly: number;
  /** Puts of bytes that an object had before others: A, B, A. */
  back: number;
}

/** Sees every accepted write of a store, and which of them put older data over newer. */
export interface Witness {
  /** Call it the moment that the store accepts a put or, without an artifact, a delete. */
  wrote(by: Reader, key: string, artifact?: Artifact): void;
  /** One line for each write whose run read older rows than the one before it on the same object. */
  readonly backwards: readonly string[];
  readonly sums: WriteSums;
  /** All that was written to one object. */
  of(key: string): readonly string[];
}

interface Written {
  readonly position: number;
  readonly text: string;
  /** Of the bytes; undefined after a delete. */
  readonly etag: string | undefined;
  readonly artifact: Artifact | undefined;
}

/** Has seen nothing yet. */
export function openWitness(): Witness {
  const all = new Map<string, readonly Written[]>();
  const backwards: string[] = [];
  const sums = { puts: 0, deletes: 0, headersOnly: 0, back: 0 };
  return {
    wrote({ name, position = -1 }, key, artifact) {
      // What ties a store to its ledger is made of no rows.
      if (key.startsWith(".")) return;
      const does = artifact === undefined ? "delete" : "put";
      const etag = artifact && bytesTag(artifact.body);
      const written = { position, text: `${does} by ${name} at ${position}`, etag, artifact };
      const known = all.get(key) ?? [];
      const before = known.at(-1);
      count(sums, written, known);
      all.set(key, [...known, written]);
      if (before !== undefined && position < before.position) {
        backwards.push(`${key}: ${written.text}, after ${before.text}`);
      }
    },
    of: (key) => (all.get(key) ?? []).map(({ text }) => text),
    backwards,
    sums,
  };
}

function count(sums: WriteSums, { etag, artifact }: Written, known: readonly Written[]): void {
  const before = known.at(-1);
  if (artifact === undefined) {
    sums.deletes += 1;
    return;
  }
  sums.puts += 1;
  const isSame = before?.etag === etag;
  if (isSame && before?.artifact?.hash.equals(artifact.hash) === false) sums.headersOnly += 1;
  if (!isSame && known.some((each) => each.etag === etag)) sums.back += 1;
}
