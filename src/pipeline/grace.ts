import { ASSET_KIND } from "../plan/kinds.ts";
import { graceSeconds } from "../site.ts";
import type { Run } from "./run.ts";

/** How much longer a replaced asset stays than pages do, for readers who have one open, µs. */
const ASSET_GRACE = 24 * 3600 * 1_000_000;
const SECOND = 1_000_000;

/**
 * The ledger's note of what browsers may hold, `SECONDS UNTIL`: how long what was put up to the last
 * release may be used, and the moment (µs) until which older copies may be that are used for longer.
 */
const COPIES = "copies";

interface Copies {
  readonly seconds: number;
  readonly until: number;
}

/** How long the object of a page stays once nothing links to it any more, µs. */
export function staysOf({ wired }: Run, kind: string): number {
  const stays = graceSeconds(wired.site.kinds) * SECOND;
  return kind === ASSET_KIND ? stays + ASSET_GRACE : stays;
}

/**
 * Gives the objects that retired their date: all that linked to them is invalidated by now.
 * Browsers show what they got before for as long as it said then.
 */
export async function dateRetired(run: Run): Promise<void> {
  const completedAt = run.moment();
  await run.wired.ledger.dateRetired(
    run.context.run,
    completedAt,
    copiesAt(run, completedAt).until,
  );
}

/** What to note of copies with a release; nothing where all kinds always asked browsers to ask. */
export async function copiesNote(
  run: Run,
  { isWhole }: { readonly isWhole: boolean },
): Promise<Readonly<Record<string, string>>> {
  const now = graceSeconds(run.wired.site.kinds);
  const { seconds, until } = copiesAt(run, run.moment());
  // A page that fails is still served as its last good version says.
  const isAll = isWhole && (await run.wired.ledger.quarantined(1)).length === 0;
  const kept = isAll ? now : Math.max(now, seconds);
  return kept === 0 && until === 0 ? {} : { [COPIES]: `${kept} ${until}` };
}

/** Before pages are put that say other than their kinds do now: so long may browsers use them. */
export async function expectCopies({ wired, context }: Run, seconds: number): Promise<void> {
  const [known = 0, until = 0] = (context.notes.get(COPIES) ?? "").split(" ").map(Number);
  if (seconds > known) await wired.ledger.setNote(COPIES, `${seconds} ${until}`);
}

/** What browsers may hold of what was put before this run. */
function copiesAt({ wired, context }: Run, moment: number): Copies {
  const [seconds = 0, until = 0] = (context.notes.get(COPIES) ?? "").split(" ").map(Number);
  if (seconds <= graceSeconds(wired.site.kinds)) return { seconds, until };
  return { seconds, until: Math.max(until, moment + seconds * SECOND) };
}
