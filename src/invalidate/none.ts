import type { Cdn } from "./cdn.ts";

/** No cache in front of the store: there is nothing to invalidate, and asking for it is a bug. */
export const noCdn: Cdn = {
  name: "none",
  isCaching: false,
  hasTags: false,
  batchItems: 1,
  send: refuse,
  isCompleted: refuse,
};

async function refuse(): Promise<never> {
  throw new TypeError("Without a CDN nothing can be invalidated; look at isCaching first.");
}
