import { PipelineError } from "../error.ts";
import type { Step } from "../site.ts";
import type { Made } from "./make.ts";
import { removeBarred } from "./removal.ts";
import type { Run } from "./run.ts";

/** Parts artifacts from those whose pages were taken down since the run began. */
export async function withoutBarred(
  { wired, context, options }: Run,
  made: readonly Made[],
): Promise<{ readonly allowed: readonly Made[]; readonly barred: readonly Step[] }> {
  const steps = made.map(({ step }) => step);
  const bars = await wired.ledger.barred(steps);
  const barred = steps.filter((_, at) => bars[at] !== undefined);
  for (const step of barred) {
    context.bars.add(step);
    const message = `${step.route} is taken down; this run leaves it out.`;
    options.emit({ event: "note", message });
  }
  return { allowed: made.filter((_, at) => bars[at] === undefined), barred };
}

/**
 * Records intents, unless a page is taken down at that very moment: then what is left of it at their
 * routes is removed, and false is given.
 */
export async function isIntended(run: Run, intend: () => Promise<void>): Promise<boolean> {
  try {
    await intend();
    return true;
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== "page_barred") throw error;
    await removeBarred(run.wired, run.options);
    return false;
  }
}
