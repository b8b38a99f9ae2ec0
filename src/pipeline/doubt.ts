import type { Intent, Retired } from "../ledger/ledger.ts";
import { ASSET_KIND } from "../plan/kinds.ts";
import { address } from "../site.ts";
import type { Run } from "./run.ts";

/** How long a replaced asset stays for pages that readers still have open, µs. */
const ASSET_GRACE = 24 * 3600 * 1_000_000;

/**
 * Settles puts of which nobody knows whether they happened: live pages are put again by the next
 * run that looks at them. A page that never was live is none yet, so that nothing links to it
 * before it is put again; if it is not, its object goes.
 */
export async function doubt(run: Run, intents: readonly Intent[]): Promise<void> {
  if (intents.length === 0) return;
  const { ledger } = run.wired;
  const live = await ledger.pages(intents);
  await ledger.doubt(intents, run.release);
  const created = intents.filter((_, at) => live[at] === undefined);
  const retired = created.map(({ kind, route }) => retiring(run, kind, route));
  await ledger.retire(run.context.run, created, { retired });
}

/** The object at a route that a page gives up, and when it goes. */
export function retiring({ startedAt, wired }: Run, kind: string, route: string): Retired {
  const { key, invalidations } = address(route);
  // A hashed asset is never asked for again once no page names it, so nothing need be evicted.
  if (kind === ASSET_KIND) return { object: key, dueAt: startedAt + ASSET_GRACE, items: [] };
  return { object: key, dueAt: startedAt, items: wired.cdn.isCaching ? invalidations : [] };
}
