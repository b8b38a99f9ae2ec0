import type { Intent, LivePage, Retired } from "../ledger/ledger.ts";
import { ASSET_KIND, putPhase } from "../plan/kinds.ts";
import { address, type Step } from "../site.ts";
import { staysOf } from "./grace.ts";
import { lateUntil } from "./late-until.ts";
import type { Run } from "./run.ts";

/** When an object goes that nothing ever led to: nothing has to be waited for. */
export const UNSEEN = 0;

/**
 * Settles puts of which nobody knows whether they happened: live pages are put again by the next
 * run that looks at them. A page that never was live is none yet, so that nothing links to it
 * before it is put again; if it is not, its object goes.
 */
export async function doubt(run: Run, intents: readonly Intent[]): Promise<void> {
  if (intents.length === 0) return;
  const { ledger } = run.wired;
  const live = await ledger.pages(intents);
  const doubted = intents.map((each) => ({ ...each, isCached: isEvicted(run, each) }));
  await ledger.doubt(run.context.run, doubted, run.release, lateUntil(run));
  const created = intents.filter((_, at) => live[at] === undefined);
  const retired = created.map((each) => ({ ...retiring(run, each), dueAt: UNSEEN }));
  await ledger.retire(run.context.run, created, { retired });
}

/**
 * The object at a route that a page gives up; it gets its date once nothing leads there. `live` is
 * the page as the ledger has it.
 */
export function retiring(
  run: Run,
  { kind, route }: Pick<LivePage, "kind" | "route">,
  live?: LivePage,
): Retired {
  const { key: object } = address(route);
  const { etag, hash } = live?.route === route ? live : {};
  return {
    object,
    dueAt: undefined,
    stays: staysOf(run, kind),
    isCached: isEvicted(run, { kind }),
    etag,
    hash,
  };
}

/** A hashed asset is never asked for again once no page names it, so nothing need be evicted. */
function isEvicted({ wired }: Run, { kind }: Pick<Intent, "kind">): boolean {
  return wired.cdn.isCaching && kind !== ASSET_KIND;
}

/** The step that puts a live page where it is although no read changed. */
export function putAgain({ wired }: Run, page: LivePage, reason: "store" | "unfinished"): Step {
  const { kind, key, route, start } = page;
  const declared = wired.site.kinds.find(({ name }) => name === kind);
  const phase = putPhase(declared, false);
  return { kind, key, phase, action: "update", reason, route, from: undefined, start };
}
