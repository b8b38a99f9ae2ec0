import type { Cache } from "../../src/cache/cache.ts";
import { hexOf } from "../../src/site.ts";

/** A cache in memory that counts what it was given. */
export interface MemoryCache extends Cache {
  /** By keys in hexadecimal. */
  readonly values: Map<string, Uint8Array>;
  made: number;
}

/** Opens one; it is never full. */
export function memoryCache(): MemoryCache {
  const values = new Map<string, Uint8Array>();
  return {
    values,
    made: 0,
    get: async (keys) => keys.map((key) => values.get(hexOf(key))),
    has: async (keys) => keys.map((key) => values.has(hexOf(key))),
    async drop(keys) {
      for (const key of keys) values.delete(hexOf(key));
    },
    async set(entries) {
      this.made += entries.length;
      for (const { key, value } of entries) values.set(hexOf(key), value);
    },
    async clear() {
      values.clear();
      return true;
    },
    async [Symbol.asyncDispose]() {},
  };
}
