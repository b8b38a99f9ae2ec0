import type { Cache } from "./cache.ts";

/** Keeps nothing. */
export const noCache: Cache = {
  get: async (keys) => keys.map(() => undefined),
  async set() {},
  async [Symbol.asyncDispose]() {},
};
