import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import { type Artifact, foldRoute } from "../../src/site.ts";

/** A store as on a disk that ignores case: the last spelling put is the one that lists. */
export function foldingStore(objects: Map<string, Artifact>): ObjectStore {
  const real = new Map<string, string>();
  const store = memoryStore(objects);
  const drop = (key: string) => {
    const name = real.get(foldRoute(key));
    if (name !== undefined) objects.delete(name);
    real.delete(foldRoute(key));
  };
  return {
    ...store,
    foldsCase: true,
    get: async (key) => objects.get(real.get(foldRoute(key)) ?? ""),
    async put(artifact, write) {
      drop(artifact.key);
      real.set(foldRoute(artifact.key), artifact.key);
      return await store.put(artifact, write);
    },
    async delete(keys) {
      keys.forEach(drop);
      return [];
    },
  };
}
