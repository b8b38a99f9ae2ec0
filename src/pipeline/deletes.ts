import type { Retired } from "../ledger/ledger.ts";
import { routeOfKey } from "../site.ts";
import { deleteRetired } from "./delete-retired.ts";
import { doubt, putAgain, retiring } from "./doubt.ts";
import { dateRetired } from "./grace.ts";
import { keepBodies } from "./kept.ts";
import { countSteps, publishPhase } from "./publish.ts";
import { readerChanges } from "./readers.ts";
import type { Run } from "./run.ts";

/** Pages or objects between two ledger commits. */
const BATCH = 200;

/** Takes deleted pages off the ledger, then removes every object whose time has come. */
export async function deletePhase(run: Run): Promise<void> {
  const { ledger } = run.wired;
  const total = await countSteps(run, "deletes");
  if (total > 0) run.progress.begin("deletes", total);
  for (;;) {
    if ((await nextDeletes(run, 1)).length === 0) break;
    await run.goOn();
    const steps = await nextDeletes(run, BATCH);
    const gone = await ledger.pages(steps);
    // The objects of what is taken down went first.
    const retired = steps.flatMap((step, at) =>
      step.reason === "barred" ? [] : [retiring(run, step, gone[at])],
    );
    await keepBodies(run, gone);
    const dropped = readerChanges(gone, []);
    await ledger.retire(run.context.run, steps, { retired, ...dropped });
    run.tally.addSteps(steps, "deleted");
    run.progress.add(steps.length);
  }
  await dateRetired(run);
  await deleteDue(run);
}

async function nextDeletes({ wired, context }: Run, limit: number) {
  return await wired.ledger.staged(context.run, { phase: "deletes", limit });
}

async function deleteDue(run: Run): Promise<void> {
  const { ledger } = run.wired;
  let after: string | undefined;
  let isSuspect = false;
  for (;;) {
    const due = await ledger.due(run.moment(), after, BATCH);
    if (due.length === 0) break;
    await run.goOn();
    const live = await ledger.liveAt(due.map(({ object }) => routeOfKey(object)));
    const isFree = ({ object }: Retired) => !live.has(routeOfKey(object));
    const going = due.filter(isFree);
    if (await suspectFolded(run, objectsOf(going))) isSuspect = true;
    const done = await deleteRetired(run, going);
    await ledger.forget(run.context.run, objectsOf(done));
    const kept = due.filter((each) => !isFree(each));
    await ledger.unretire(run.context.run, objectsOf(kept));
    after = due.at(-1)?.object;
  }
  if (!isSuspect) return;
  // Nothing is left in them but what a store that folds case may have lost just now.
  for (const phase of ["assets", "changed", "lists"] as const) await publishPhase(run, phase);
}

function objectsOf(retired: readonly Retired[]): readonly string[] {
  return retired.map(({ object }) => object);
}

/**
 * Where a store cannot tell `a` from `A`, deleting one may delete the other, e.g. when only the
 * case of a slug changed: such live pages are put again at once. True when there are any.
 */
async function suspectFolded(run: Run, objects: readonly string[]): Promise<boolean> {
  const { ledger, store } = run.wired;
  if (!store.foldsCase || objects.length === 0) return false;
  const live = await ledger.liveFolded(objects.map(routeOfKey));
  if (live.length === 0) return false;
  await doubt(run, live);
  await ledger.stage(
    run.context.run,
    live.map((page) => putAgain(run, page, "store")),
  );
  return true;
}
