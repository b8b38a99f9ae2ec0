import { PipelineError } from "../error.ts";
import type { DeleteConditions, ObjectStore } from "../publish/store.ts";
import { type Artifact, digest } from "../site.ts";
import type { Wired } from "./run.ts";

/** The ledger's note of how the store keeps the expectations of deletes. */
const NOTE = "delete-conditions";
const KNOWN: readonly string[] = ["together", "singly", "ignored"] satisfies DeleteConditions[];

/** An object that is there while the conditions of deletes are tried. */
const KEY = ".nightbake-probe.json";
const body = Buffer.from("{}\n");
const PROBE: Artifact = {
  key: KEY,
  body,
  contentType: "application/json",
  cacheControl: "no-store",
  metadata: {},
  hash: digest(body),
};
/** No object has the entity tag of none. */
const OTHER = '"00000000000000000000000000000000"';

type Tied = Pick<Wired, "ledger" | "store">;

/** How the store keeps the expectations of deletes; tried once, with an object of its own. */
export async function deleteConditions(tied: Tied): Promise<DeleteConditions> {
  const { ledger, store } = tied;
  if (store.deleteConditions !== undefined) return store.deleteConditions;
  const noted = await ledger.note(NOTE);
  if (isKnown(noted)) return noted;
  return await tryDeleteConditions(tied);
}

/** Tries it anew, since the store may be another than before. */
export async function tryDeleteConditions({ ledger, store }: Tied): Promise<DeleteConditions> {
  const found = store.deleteConditions ?? (await tried(store));
  await ledger.setNote(NOTE, found);
  return found;
}

async function tried(store: ObjectStore): Promise<DeleteConditions> {
  const found = (await isKept(store, false))
    ? "together"
    : (await isKept(store, true))
      ? "singly"
      : "ignored";
  await store.delete([KEY]);
  return found;
}

/** True when the object stays where another is expected, and goes where it is. */
async function isKept(store: ObjectStore, isSingle: boolean): Promise<boolean> {
  const etag = await store.put(PROBE);
  if (etag === undefined || !(await isRefused(store, OTHER, isSingle))) return false;
  if ((await store.head(KEY)) === undefined) return false;
  return !(await isRefused(store, etag, isSingle)) && (await store.head(KEY)) === undefined;
}

async function isRefused(store: ObjectStore, etag: string, isSingle: boolean): Promise<boolean> {
  try {
    const expected = new Map([[KEY, etag]]);
    return (await store.delete([KEY], { expected, isSingle })).length > 0;
  } catch (error) {
    // A server that does not know conditions may take them for a mistake.
    if (error instanceof PipelineError && error.code === "store_rejected") return false;
    throw error;
  }
}

function isKnown(noted: string | undefined): noted is DeleteConditions {
  return noted !== undefined && KNOWN.includes(noted);
}
