import { randomUUID } from "node:crypto";
import { isStoreKnown } from "../pipeline/marker.ts";
import type { Wired } from "../pipeline/run.ts";
import { barsOf } from "../plan/bars.ts";
import type { PlanContext } from "../plan/context.ts";
import type { Instant } from "../site.ts";

/** The rows and pages of one moment, to be asked about; closing it leaves no trace in the ledger. */
export interface Look extends AsyncDisposable {
  readonly context: PlanContext;
}

/** Opens a look at what a build at `now` would see. It claims nothing and needs no right to write rows or objects. */
export async function openLook(wired: Wired, now: Instant = Date.now() * 1000): Promise<Look> {
  const { site, ledger, source, store, assets, content, redirects, fingerprint, making } = wired;
  const run = randomUUID();
  const notes = await ledger.notes();
  const bars = barsOf(await ledger.bars());
  const isStoreTrusted = await isStoreKnown(wired, notes);
  const rows = await source.read(now);
  const told = {
    onFailure: () => {},
    hasFailed: () => false,
    onSame: () => {},
    onTouched: () => {},
  };
  const { foldsCase } = store;
  const disk = { assets, content, redirects, foldsCase };
  const parts = { site, ledger, notes, rows, ...disk, fingerprint, making };
  return {
    context: { ...parts, run, now, isStoreTrusted, isCutOff: false, bars, ...told },
    async [Symbol.asyncDispose]() {
      await rows[Symbol.asyncDispose]();
      await ledger.discard(run);
    },
  };
}
