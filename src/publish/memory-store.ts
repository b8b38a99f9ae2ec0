import type { Artifact } from "../site.ts";
import type { ObjectStore } from "./store.ts";

/** Keeps objects in a map. A whole store, not a mock: tests may read back what was put. */
export function memoryStore(objects = new Map<string, Artifact>()): ObjectStore {
  return {
    name: "memory",
    foldsCase: false,
    check: async () => {},
    async *list(prefix) {
      for (const key of objects.keys()) if (key.startsWith(prefix)) yield key;
    },
    get: async (key) => objects.get(key),
    async put(artifact) {
      // A copy, as every store makes one: the caller may use its buffer again.
      objects.set(artifact.key, { ...artifact, body: Uint8Array.from(artifact.body) });
      return `"${artifact.hash.toString("hex")}"`;
    },
    async delete(keys) {
      for (const key of keys) objects.delete(key);
    },
  };
}
