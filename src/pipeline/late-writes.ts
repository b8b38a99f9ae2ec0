import type { LivePage, Retired } from "../ledger/ledger.ts";
import { insist } from "../publish/slots.ts";
import type { StoredHead } from "../publish/store.ts";
import { address, hexOf, routeOfKey } from "../site.ts";
import { putAgain } from "./doubt.ts";
import type { Run } from "./run.ts";

/** Objects looked at between two commits of the ledger. */
const BATCH = 200;

/**
 * Looks at the objects of requests that a process had under way when it died, once none of these can
 * take place any more. A put may have come after the page was put again, and an entity tag covers
 * bytes only: such a page is put again once more; what no page has goes.
 */
export async function settleLate(run: Run): Promise<void> {
  const { only, isDryRun, plan } = run.options;
  // These leave steps out that what came late would need.
  if (only !== undefined || isDryRun || plan !== undefined) return;
  let after: string | undefined;
  for (;;) {
    const some = await run.wired.ledger.lingering(run.startedAt, after, BATCH);
    if (some.length === 0) return;
    await settleObjects(
      run,
      some.map(({ object }) => object),
    );
    after = some.at(-1)?.object;
  }
}

async function settleObjects(run: Run, objects: readonly string[]): Promise<void> {
  const { ledger, store, slots } = run.wired;
  const heads = await Promise.all(objects.map((object) => insist(slots, () => store.head(object))));
  const live = await ledger.liveFolded(objects.map(routeOfKey));
  const owners = Map.groupBy(live, ({ route }) => address(route).key);
  const waiting = await ledger.retiredAmong(objects);
  const altered: LivePage[] = [];
  const orphans: Retired[] = [];
  for (const [at, object] of objects.entries()) {
    const pages = owners.get(object) ?? [];
    const head = heads[at];
    if (pages.length > 0) {
      if (!pages.some((page) => isAsConfirmed(page, head))) altered.push(...pages);
    } else if (head?.hash !== undefined && !isAsConfirmed(waiting.get(object), head)) {
      orphans.push(orphan(run, object, head));
    }
  }
  if (altered.length + orphans.length === 0)
    return await ledger.forgetLingering(objects, run.startedAt);
  await run.claim();
  await ledger.cameLate(run.context.run, { objects, altered, retired: orphans });
  // A rebuild notes which pages it plans.
  await run.context.ledger.stage(
    run.context.run,
    altered.map((page) => putAgain(run, page, "unfinished")),
  );
  const count = altered.length + orphans.length;
  const message = `What a run that was cut off had asked of the store took place after it: ${count} objects are put right.`;
  run.options.emit({ event: "note", message });
}

function isAsConfirmed(
  known: Pick<Retired, "hash" | "etag"> | undefined,
  head: StoredHead | undefined,
): boolean {
  if (head === undefined || known?.hash === undefined) return false;
  return head.hash === hexOf(known.hash) && head.etag === known.etag;
}

/** An object that no page has; nothing leads to it, unless it waits to be deleted already. */
function orphan({ wired, startedAt }: Run, object: string, head: StoredHead): Retired {
  const { etag, hash = "" } = head;
  const { isCaching: isCached } = wired.cdn;
  return { object, dueAt: startedAt, isCached, etag, hash: Buffer.from(hash, "hex") };
}
