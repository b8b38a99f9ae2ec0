import type { Take } from "./slots.ts";
import type { DeleteConditions, ObjectStore, StoredHead } from "./store.ts";

/** An object that is to be deleted, and what it is known to be. */
export interface Doomed {
  readonly key: string;
  readonly etag: string | undefined;
  /** Of its artifact, in hexadecimal. */
  readonly hash: string | undefined;
}

/** How objects are deleted that somebody else may have written meanwhile. */
export interface DeleteExpecting {
  readonly conditions: DeleteConditions;
  /** Where there is room for a request. */
  readonly take: Take;
  /** Asked before one goes that Nightbake put and that is not what was known; throws where it must not. */
  readonly mayDelete: (doomed: Doomed) => Promise<void>;
}

/** What became of objects that were to be deleted; those in neither list changed under our eyes. */
export interface Deleted {
  readonly gone: readonly string[];
  /** Another hand has put them: they stay. */
  readonly foreign: readonly string[];
}

type Store = Pick<ObjectStore, "delete" | "head" | "keepsHeaders">;

/**
 * Deletes objects unless they are others than was known. Each of which that is not known, or that
 * the store refuses to delete, is looked at: one that carries our metadata is ours and goes as it was
 * seen, another is foreign. Where conditions are ignored all are looked at; a store that keeps no
 * metadata deletes whatever is there.
 */
export async function deleteExpecting(
  store: Store,
  doomed: readonly Doomed[],
  { conditions, take, mayDelete }: DeleteExpecting,
): Promise<Deleted> {
  const keys = doomed.map(({ key }) => key);
  if (!store.keepsHeaders) {
    await store.delete(keys);
    return { gone: keys, foreign: [] };
  }
  const sure = conditions === "ignored" ? [] : doomed.filter(({ etag }) => etag !== undefined);
  const refused = new Set(await deleteAs(store, sure, conditions));
  const left = new Set(sure.filter(({ key }) => !refused.has(key)));
  const doubtful = doomed.filter((each) => !left.has(each));
  const found = await Promise.all(doubtful.map(({ key }) => take(() => store.head(key))));
  const there = doubtful.flatMap((each, at) => {
    const head = found[at];
    return head === undefined ? [] : [{ ...each, head }];
  });
  const foreign = there.filter(isForeign).map(({ key }) => key);
  const ours = there.filter((each) => !isForeign(each));
  for (const each of ours) if (isAltered(each)) await mayDelete(each);
  const seen = ours.map(({ key, head }) => ({ key, etag: head.etag }));
  const kept = new Set([...foreign, ...(await deleteAs(store, seen, conditions))]);
  return { gone: keys.filter((key) => !kept.has(key)), foreign };
}

/** Gives the keys whose objects are others. */
async function deleteAs(
  store: Store,
  objects: readonly Pick<Doomed, "key" | "etag">[],
  conditions: DeleteConditions,
): Promise<readonly string[]> {
  const keys = objects.map(({ key }) => key);
  if (keys.length === 0) return [];
  if (conditions === "ignored") return await store.delete(keys);
  const tags = objects.flatMap(({ key, etag }) =>
    etag === undefined ? [] : [[key, etag] as const],
  );
  return await store.delete(keys, { expected: new Map(tags), isSingle: conditions === "singly" });
}

type Seen = Doomed & { readonly head: StoredHead };

/** What puts were before they carried metadata is known by its tag. */
function isForeign({ etag, head }: Seen): boolean {
  return head.hash === undefined && (etag === undefined || head.etag !== etag);
}

/** False where nobody knew what it was. */
function isAltered({ hash, head }: Seen): boolean {
  return hash !== undefined && head.hash !== undefined && head.hash !== hash;
}
