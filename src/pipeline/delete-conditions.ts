import { PipelineError } from "../error.ts";
import type { DeleteConditions, ObjectStore } from "../publish/store.ts";
import { type Artifact, digest } from "../site.ts";
import type { Wired } from "./run.ts";

/** The ledger's note of how the store keeps the expectations of deletes. */
const NOTE = "delete-conditions";
const KNOWN: readonly string[] = ["together", "singly", "ignored"] satisfies DeleteConditions[];

/** An object that is there while the conditions of deletes are tried. */
const KEY = ".nightbake-probe.json";
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
  const found = store.deleteConditions ?? (await triedDeletes(store, probe(KEY)));
  await ledger.setNote(NOTE, found);
  return found;
}

/** An object to try a store with; readers see nothing in it. */
export function probe(key: string): Artifact {
  const body = Buffer.from("{}\n");
  const headers = { contentType: "application/json", cacheControl: "no-store", metadata: {} };
  return { key, body, hash: digest(body), ...headers };
}

/** How a store keeps the expectations of deletes, tried with an object that is gone afterwards. */
export async function triedDeletes(
  store: ObjectStore,
  object: Artifact,
): Promise<DeleteConditions> {
  const found = (await isKept(store, object, false))
    ? "together"
    : (await isKept(store, object, true))
      ? "singly"
      : "ignored";
  await store.delete([object.key]);
  return found;
}

/** True when the object stays where another is expected, and goes where it is. */
async function isKept(store: ObjectStore, object: Artifact, isSingle: boolean): Promise<boolean> {
  const { key } = object;
  const etag = await store.put(object);
  const isRefused = (tag: string) => refuses(store, new Map([[key, tag]]), isSingle);
  if (etag === undefined || !(await isRefused(OTHER))) return false;
  if ((await store.head(key)) === undefined) return false;
  return !(await isRefused(etag)) && (await store.head(key)) === undefined;
}

async function refuses(
  store: ObjectStore,
  expected: ReadonlyMap<string, string>,
  isSingle: boolean,
): Promise<boolean> {
  try {
    return (await store.delete([...expected.keys()], { expected, isSingle })).length > 0;
  } catch (error) {
    // A server that does not know conditions may take them for a mistake.
    if (error instanceof PipelineError && error.code === "store_rejected") return false;
    throw error;
  }
}

function isKnown(noted: string | undefined): noted is DeleteConditions {
  return noted !== undefined && KNOWN.includes(noted);
}
