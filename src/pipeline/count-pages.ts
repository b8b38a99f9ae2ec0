import type { Ledger } from "../ledger/ledger.ts";
import { ASSET_KIND } from "../plan/kinds.ts";

/** How many pages are live, assets aside. Visits each of them. */
export async function countPages(ledger: Pick<Ledger, "countLiveByKind">): Promise<number> {
  const live = await ledger.countLiveByKind();
  return [...live].reduce((sum, [kind, count]) => (kind === ASSET_KIND ? sum : sum + count), 0);
}
