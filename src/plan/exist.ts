import type { LivePage } from "../ledger/ledger.ts";
import type { Kind, Step } from "../site.ts";
import { BATCH, type Found, type PlanContext } from "./context.ts";
import { ASSET_KIND, findAssets, findPages, putPhase } from "./kinds.ts";

/** How a kind's pages are looked through. */
export interface ExistenceOptions {
  /** Pages that are gone stay live: pages of other kinds, which are not looked at, may link to them. */
  readonly keepsGone?: boolean;
  /** Called for each batch with its number of pages. */
  readonly onBatch?: (pages: number) => void | Promise<void>;
}

/** Stages what appears, goes and moves among the pages of one kind (of the assets, without a kind). */
export async function planExistence(
  kind: Kind | undefined,
  context: PlanContext,
  { keepsGone = false, onBatch = () => {} }: ExistenceOptions = {},
): Promise<void> {
  const { ledger, run } = context;
  const name = kind?.name ?? ASSET_KIND;
  const pages = kind === undefined ? findAssets(context) : findPages(kind, context);
  for await (const differences of compare(name, pages, context)) {
    await onBatch(differences.length);
    // A redirect that is gone may stand where another page is now.
    const isKept = keepsGone && kind?.is !== "redirect";
    const found = isKept ? differences.filter((each) => each.found) : differences;
    const steps = found.flatMap((each) => stepFor(kind, name, each, context));
    if (steps.length > 0) await ledger.stage(run, steps);
  }
}

/** Stages the deletes of all pages of a kind that the site does not have any more. */
export async function planGoneKind(name: string, { ledger, run }: PlanContext): Promise<void> {
  let after: Uint8Array | undefined;
  for (;;) {
    const live = await ledger.live(name, after, BATCH);
    if (live.length > 0)
      await ledger.stage(
        run,
        live.map((page) => deleteStep(page, "kind")),
      );
    if (live.length < BATCH) return;
    after = live.at(-1)?.key;
  }
}

/** A page that should exist, one that is live, or both. */
export interface Difference {
  readonly found: Found | undefined;
  readonly live: LivePage | undefined;
}

/** Walks both sides in key order, side by side; yields only where they differ. */
async function* compare(
  kind: string,
  batches: AsyncIterable<readonly Found[]>,
  { ledger }: PlanContext,
): AsyncGenerator<readonly Difference[]> {
  let live = await ledger.live(kind, undefined, BATCH);
  let at = 0;
  async function refill(): Promise<boolean> {
    if (at < live.length) return true;
    if (live.length < BATCH) return false;
    live = await ledger.live(kind, live.at(-1)?.key, BATCH);
    at = 0;
    return live.length > 0;
  }
  for await (const batch of batches) {
    const differences: Difference[] = [];
    for (const found of batch) {
      const { key } = found;
      if (key === undefined) {
        differences.push({ found, live: undefined });
        continue;
      }
      while (await refill()) {
        const page = live[at];
        if (page === undefined || Buffer.compare(page.key, key) >= 0) break;
        differences.push({ found: undefined, live: page });
        at += 1;
      }
      const page = live[at];
      const isSame = page !== undefined && Buffer.compare(page.key, key) === 0;
      if (isSame) at += 1;
      differences.push({ found, live: isSame ? page : undefined });
    }
    yield differences;
  }
  while (await refill()) {
    const rest = live.slice(at).map((page) => ({ found: undefined, live: page }));
    at = live.length;
    yield rest;
  }
}

/** The step that a page needs which should exist, is live, or both; none when it may stay. */
export function stepFor(
  kind: Kind | undefined,
  name: string,
  { found: wanted, live }: Difference,
  context: PlanContext,
): Step[] {
  const isBarred = wanted?.key !== undefined && context.bars.has({ kind: name, key: wanted.key });
  const found = isBarred ? undefined : wanted;
  if (found === undefined) {
    return live === undefined ? [] : [deleteStep(live, isBarred ? "barred" : "gone")];
  }
  if (found.error !== undefined) {
    const page = found.key === undefined ? undefined : { kind: name, key: found.key };
    context.onFailure({ page, error: found.error });
    return found.isGone && live !== undefined ? [deleteStep(live, "gone")] : [];
  }
  const { key, route, start } = found;
  const isMove = live !== undefined && live.route !== route;
  const isSame = live !== undefined && !isMove && isSameStart(live.start, start);
  if (isSame && !isLostAsset(kind, live, context)) return [];
  return [
    {
      kind: name,
      key,
      phase: putPhase(kind, live === undefined || isMove),
      action: live === undefined ? "create" : "update",
      reason: reasonFor(kind, live, { isMove, isSame }),
      route,
      from: isMove ? live.route : undefined,
      start,
    },
  ];
}

function reasonFor(
  kind: Kind | undefined,
  live: LivePage | undefined,
  { isMove, isSame }: { readonly isMove: boolean; readonly isSame: boolean },
): string {
  if (live === undefined) return "absent";
  if (isMove) return "route";
  if (isSame) return "store";
  return kind?.is === "redirect" ? `page:${live.route}#redirect` : "window";
}

/** Assets have no trace that a later check could find stale. */
function isLostAsset(kind: Kind | undefined, live: LivePage, context: PlanContext): boolean {
  return kind === undefined && (live.hash === undefined || !context.isStoreTrusted);
}

/** The step that takes a live page away. */
export function deleteStep({ kind, key, route }: LivePage, reason: string): Step {
  const where = { route, from: undefined, start: undefined };
  return { kind, key, phase: "deletes", action: "delete", reason, ...where };
}

/** True when two list windows begin at the same place, or neither has one. */
export function isSameStart(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}
