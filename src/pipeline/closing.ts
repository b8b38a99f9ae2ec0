import { PipelineError } from "../error.ts";
import type { Counts, RunEvent, Summary } from "../events.ts";
import { isWhole } from "./log.ts";
import type { BuildOptions, Wired } from "./run.ts";

/** A database that changes faster than it can be published is left to the next build after so many. */
const MAX_ROUNDS = 3;
const SUMS = [
  "candidates",
  "rendered",
  "changed",
  "deleted",
  "bytes",
  "invalidated",
  "seconds",
] as const;

/**
 * Builds again for what changed in the database while a build published, until a look finds nothing or
 * some rounds are over. Gives what all of them did; who publishes meanwhile sees to the rest.
 * @throws PipelineError as `build` does
 */
export async function buildAgain(
  wired: Wired,
  options: BuildOptions,
  {
    first,
    build,
  }: { readonly first: Summary; readonly build: (again: BuildOptions) => Promise<Summary> },
): Promise<Summary> {
  if (!options.closes || options.isDryRun || !isWhole(options)) return first;
  let all = first;
  for (let round = 0; round < MAX_ROUNDS && all.release !== undefined; round += 1) {
    const shown = all.read?.position;
    if (shown !== undefined && (await wired.source.position()) === shown) break;
    const next = await unlessBusy(() => build({ ...options, emit: quietly(options.emit) }));
    if (next?.release === undefined) break;
    all = together(all, next);
  }
  return all;
}

/** A look that found nothing has nothing to sum up. */
function quietly(emit: (event: RunEvent) => void): (event: RunEvent) => void {
  return (event) => {
    if (event.event !== "summary" || event.summary.release !== undefined) emit(event);
  };
}

async function unlessBusy(work: () => Promise<Summary>): Promise<Summary | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PipelineError && error.code === "run_conflict") return undefined;
    throw error;
  }
}

function together(a: Summary, b: Summary): Summary {
  const counts = Object.fromEntries(SUMS.map((name) => [name, a[name] + b[name]]));
  return { ...b, ...(counts as Pick<Counts & Summary, (typeof SUMS)[number]>) };
}
