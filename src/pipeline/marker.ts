import { randomUUID } from "node:crypto";
import { PipelineError } from "../error.ts";
import { type Artifact, digest } from "../site.ts";
import type { Wired } from "./run.ts";

/** Object that ties a store to its ledger; readers see nothing in it but two random names. */
export const MARKER = ".nightbake.json";
/** The ledger's note of the store that it describes: `TIE NAME`. */
const NOTE = "store";
/** The ledger's note of whether that store keeps conditions. */
const [CONDITIONS, CONDITIONAL] = ["conditions", "kept"];

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

/**
 * Makes this store the one that the ledger describes; its pages must be in doubt already. Gives
 * whether it refuses puts whose expectation does not hold, which is tried with the marker.
 */
export async function tieStore({ ledger, store }: Tied): Promise<boolean> {
  const tie = randomUUID();
  await ledger.setNote(NOTE, noteOf(tie, store.name));
  const body = bodyOf(ledger.id, tie);
  const headers = { contentType: "application/json", cacheControl: "no-store", metadata: {} };
  const marker = { key: MARKER, body, ...headers, hash: digest(body) };
  await store.removeRemains([MARKER]);
  const etag = await store.put(marker);
  const isConditional = store.isConditional ?? (await keepsConditions(store, marker, etag));
  await ledger.setNote(CONDITIONS, isConditional ? CONDITIONAL : "ignored");
  return isConditional;
}

/** True when the store refuses puts whose expectation does not hold, as of its last tie. */
export async function isConditional({ ledger, store }: Tied): Promise<boolean> {
  return store.isConditional ?? (await ledger.note(CONDITIONS)) === CONDITIONAL;
}

/**
 * True when the store refuses puts whose expectation does not hold, tried with an object that was put
 * just now. Some servers ignore conditions, and radosgw 16 does not know an entity tag in S3's own spelling.
 */
export async function keepsConditions(
  store: Tied["store"],
  marker: Artifact,
  etag: string | undefined,
): Promise<boolean> {
  const isKnown = etag !== undefined && (await isTaken(store, marker, etag));
  return isKnown && !(await isTaken(store, marker, null));
}

async function isTaken(
  store: Tied["store"],
  marker: Artifact,
  expected: string | null,
): Promise<boolean> {
  try {
    await store.put(marker, { expected });
    return true;
  } catch (error) {
    if (error instanceof PipelineError && error.code === "store_conflict") return false;
    throw error;
  }
}

function noteOf(tie: string, name: string): string {
  return `${tie} ${name}`;
}

function bodyOf(ledger: string, tie: string): Buffer {
  return Buffer.from(`${JSON.stringify({ ledger, tie })}\n`);
}
