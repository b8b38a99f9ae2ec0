import { PipelineError } from "../error.ts";
import type { Retired } from "../ledger/ledger.ts";
import { type Doomed, deleteExpecting } from "../publish/delete-expecting.ts";
import { hexOf } from "../site.ts";
import { deleteConditions } from "./delete-conditions.ts";
import type { Run } from "./run.ts";

/**
 * Deletes objects unless they are others than the ledger knew. Gives those that are done with: they
 * are gone, or another hand's. The rest changed meanwhile and is looked at again by the next run.
 */
export async function deleteRetired(
  run: Run,
  retired: readonly Retired[],
): Promise<readonly Retired[]> {
  if (retired.length === 0) return [];
  const { store, slots } = run.wired;
  const doomed = retired.map(({ object, etag, hash }): Doomed => {
    return { key: object, etag, hash: hash && hexOf(hash) };
  });
  const { gone, foreign } = await deleteExpecting(store, doomed, {
    conditions: await deleteConditions(run.wired),
    take: run.rebuilt === undefined ? slots.builds : slots.editors,
    mayDelete: ({ key }) => mayDelete(run, key),
  });
  for (const key of foreign) run.options.emit({ event: "warning", error: isForeign(run, key) });
  const done = new Set([...gone, ...foreign]);
  return retired.filter(({ object }) => done.has(object));
}

/** What another run has put meanwhile is that one's to delete. */
async function mayDelete(run: Run, key: string): Promise<void> {
  await run.claim();
  const message = `The object ${key} was not what the ledger says; it is deleted all the same, since Nightbake put it.`;
  run.options.emit({ event: "note", message });
}

function isForeign({ wired }: Run, key: string): PipelineError {
  const message = `The object ${key}, whose page is gone, was put by another hand; it stays where it is.`;
  return new PipelineError("object_foreign", message, {
    hint: "Find out what else writes to this store, and delete the object if it is not wanted.",
    at: { store: wired.store.name, key },
  });
}
