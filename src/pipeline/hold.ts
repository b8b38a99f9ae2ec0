import { PipelineError } from "../error.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Instant } from "../site.ts";

/** Publishing stands still: the site is that of a release, whatever the rows say. */
export interface Hold {
  readonly release: number;
  readonly since: Instant;
}

const NOTE = "hold";

/** The hold as of the ledger's notes; undefined when there is none. */
export function holdOf(notes: ReadonlyMap<string, string>): Hold | undefined {
  const text = notes.get(NOTE) ?? "";
  return text === "" ? undefined : (JSON.parse(text) as Hold);
}

/** From now on nobody publishes but who rolls back or takes down. */
export async function hold(ledger: Ledger, { release, since }: Hold): Promise<void> {
  await ledger.setNote(NOTE, JSON.stringify({ release, since }));
}

/**
 * Ends the hold: the next build, which looks at every page, makes the site what the rows say. Gives
 * the hold that there was.
 */
export async function resume({ ledger }: { readonly ledger: Ledger }): Promise<Hold | undefined> {
  const held = holdOf(await ledger.notes());
  if (held !== undefined) await ledger.setNote(NOTE, "");
  return held;
}

/** @throws PipelineError `publishing_held` */
export function checkHeld(notes: ReadonlyMap<string, string>): void {
  const held = holdOf(notes);
  if (held === undefined) return;
  const { release, since } = held;
  const moment = new Date(Math.floor(since / 1000)).toISOString();
  const message = `The site was rolled back to release ${release} at ${moment}; publishing is held.`;
  throw new PipelineError("publishing_held", message, {
    hint: "When the cause is mended, run `nightbake resume` and build again.",
  });
}
