import type { Cache } from "./cache.ts";

/** Keeps nothing. */
export const noCache: Cache = {
  get: async (keys) => keys.map(() => undefined),
  has: async (keys) => keys.map(() => false),
  async drop() {},
  async set() {},
  clear: async () => true,
  async [Symbol.asyncDispose]() {},
};
