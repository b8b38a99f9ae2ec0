import type { ObjectStore } from "../../src/publish/store.ts";
import { type Artifact, address, routeOfKey } from "../../src/site.ts";
import type { CacheCdn } from "./cache-cdn.ts";

/** Looks before and after each operation on one object. */
export function watched(store: ObjectStore, look: () => void): ObjectStore {
  return {
    ...store,
    async put(artifact, write) {
      look();
      const etag = await store.put(artifact, write);
      look();
      return etag;
    },
    async delete(keys, deletion) {
      const refused: string[] = [];
      for (const key of keys) {
        look();
        refused.push(...(await store.delete([key], deletion)));
        look();
      }
      return refused;
    },
  };
}

/** The store's objects, each in the oldest copy that a reader may still get. */
export function seenThrough(
  { held }: CacheCdn,
  objects: ReadonlyMap<string, Artifact>,
): ReadonlyMap<string, Artifact> {
  return new Map([...objects].map(([key, object]) => [key, held.get(pathOf(key)) ?? object]));
}

const PATHS = new Map<string, string>();

function pathOf(key: string): string {
  const path = PATHS.get(key) ?? address(routeOfKey(key)).viewerPath;
  PATHS.set(key, path);
  return path;
}
