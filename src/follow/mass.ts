import type { Ledger } from "../ledger/ledger.ts";

/** The ledger's note of the pages that slices of mass updates deleted since nothing of one waited. */
const DELETED = "bulk_deleted";

/** What slices did together: for the guard of deletes they are one run. */
export interface Mass {
  /** Pages that earlier slices deleted. */
  deleted(): Promise<number>;
  /** Counts those of a slice that was heeded; when nothing is left, from nothing again. */
  add(deleted: number): Promise<void>;
}

/** Counts in the ledger, so that a process that is killed does not begin anew. */
export function openMass(ledger: Pick<Ledger, "note" | "setNote" | "told">): Mass {
  const known = async () => Number((await ledger.note(DELETED)) ?? 0);
  return {
    deleted: known,
    async add(deleted) {
      const before = await known();
      const isOver = (await ledger.told(1, "bulk")).length === 0;
      const isSame = isOver ? before === 0 : deleted === 0;
      if (!isSame) await ledger.setNote(DELETED, String(isOver ? 0 : before + deleted));
    },
  };
}
