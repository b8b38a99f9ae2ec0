import { randomUUID } from "node:crypto";
import { digest } from "../site.ts";
import type { Wired } from "./run.ts";

/** Object that ties a store to its ledger; readers see nothing in it but two random names. */
const MARKER = ".nightbake.json";
/** The ledger's note of the store that it describes: `TIE NAME`. */
const NOTE = "store";

type Tied = Pick<Wired, "ledger" | "store">;

/**
 * True when the store is the one that the ledger describes. Each tie has a name of its own, and the
 * store's own name counts too: a ledger that was used with another store in between, or with a copy
 * of this one, describes that one now.
 */
export async function isStoreKnown(
  { ledger, store }: Tied,
  notes: ReadonlyMap<string, string>,
): Promise<boolean> {
  const [marker, note] = [await store.get(MARKER), notes.get(NOTE)];
  const [tie = ""] = note?.split(" ") ?? [];
  if (marker === undefined || note !== noteOf(tie, store.name)) return false;
  return Buffer.compare(marker.body, bodyOf(ledger.id, tie)) === 0;
}

/** Makes this store the one that the ledger describes; its pages must be in doubt already. */
export async function tieStore({ ledger, store }: Tied): Promise<void> {
  const tie = randomUUID();
  await ledger.setNote(NOTE, noteOf(tie, store.name));
  const body = bodyOf(ledger.id, tie);
  const headers = { contentType: "application/json", cacheControl: "no-store", metadata: {} };
  await store.put({ key: MARKER, body, ...headers, hash: digest(body) });
}

function noteOf(tie: string, name: string): string {
  return `${tie} ${name}`;
}

function bodyOf(ledger: string, tie: string): Buffer {
  return Buffer.from(`${JSON.stringify({ ledger, tie })}\n`);
}
