import type { Artifact } from "../site.ts";
import { conflict } from "./conflict.ts";
import type { ObjectStore } from "./store.ts";

/** Keeps objects in a map. A whole store, not a mock: tests may read back what was put. */
export function memoryStore(objects = new Map<string, Artifact>()): ObjectStore {
  const writers = new Map<string, string | undefined>();
  return {
    name: "memory",
    foldsCase: false,
    isConditional: true,
    check: async () => {},
    async *list(prefix) {
      for (const key of objects.keys()) if (key.startsWith(prefix)) yield key;
    },
    get: async (key) => objects.get(key),
    async head(key) {
      const hash = objects.get(key)?.hash.toString("hex");
      return hash === undefined
        ? undefined
        : { etag: etagOf(hash), writeId: writers.get(key), hash };
    },
    async put(artifact, { expected, id } = {}) {
      const { key, body, hash } = artifact;
      const there = objects.get(key);
      const etag = there === undefined ? null : etagOf(there.hash.toString("hex"));
      if (expected !== undefined && expected !== etag) throw conflict("memory", key);
      // A copy, as every store makes one: the caller may use its buffer again.
      objects.set(key, { ...artifact, body: Uint8Array.from(body) });
      writers.set(key, id);
      return etagOf(hash.toString("hex"));
    },
    async delete(keys) {
      for (const key of keys) objects.delete(key);
    },
  };
}

function etagOf(hash: string): string {
  return `"${hash}"`;
}
