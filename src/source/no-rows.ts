import type { Rows, Source } from "./source.ts";

/** For runs that make no page of rows: whoever asks for one is mistaken. */
export const noRows: Rows = {
  isEmpty: none,
  scan: none,
  rows: none,
  places: none,
  placesIn: none,
  placesBy: none,
  counts: none,
  windows: none,
  async [Symbol.asyncDispose]() {},
};

/** A source of no rows, for what works without a database. */
export const noSource: Source = {
  async check() {},
  read: async () => noRows,
  position: async () => undefined,
  async [Symbol.asyncDispose]() {},
};

async function none(): Promise<never> {
  throw new TypeError("This run reads no rows.");
}
