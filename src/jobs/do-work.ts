import type { RunEvent, Summary } from "../events.ts";
import type { BuildOptions, Wired } from "../pipeline.ts";
import { build, sweep } from "../pipeline.ts";
import { parsePosition } from "../source/flavour.ts";
import { verify } from "../verify.ts";
import type { Job, JobOutcome, Rebuild } from "./job.ts";
import { watchChanged } from "./watch-changed.ts";

/** Pages that a check reads, see `nightbake verify --sample`. */
const SAMPLE = 100;

export interface Doing extends Pick<BuildOptions, "onPause"> {
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
}

export type Done = Omit<JobOutcome, "seconds">;

const NOTHING: Omit<Done, "pages"> = {
  ...{
    releases: [],
    candidates: 0,
    rendered: 0,
    changed: 0,
    deleted: 0,
    failed: 0,
    invalidated: 0,
    bytes: 0,
  },
};

/**
 * Does what a job says.
 * @throws PipelineError as `build`, `verify` and `sweep` do
 */
export async function doWork(wired: Wired, job: Job, doing: Doing): Promise<Done> {
  const { work } = job;
  if (work.is === "verify") return await verified(wired, doing);
  if (work.is === "sweep") {
    await sweep(wired, { now: Date.now() * 1000, signal: doing.signal });
    return { ...NOTHING, pages: [] };
  }
  const watched = await watchChanged(wired);
  const summaries: Summary[] = [];
  const releases: number[] = [];
  // A build that ends with a look at what changed meanwhile may be several releases.
  const emit: Doing["emit"] = (event) => {
    if (event.event === "summary") releases.push(...[event.summary.release ?? []].flat());
    doing.emit(event);
  };
  for (const asked of runsOf(job)) {
    const summary = await build(watched.wired, {
      ...{ isDryRun: false, allowDeletes: false, ...asked, ...doing, emit },
      ...(job.lane === "takedown" && { isTakedown: true }),
    });
    summaries.push(summary);
  }
  return { ...doneOf(summaries), releases, pages: watched.pages() };
}

/** What the runs of a job did, together. */
export function doneOf(summaries: readonly Summary[]): Omit<Done, "pages"> {
  return summaries.reduce(added, NOTHING);
}

/** What is asked of each of a job's runs: one, unless there are kinds. */
function runsOf({ work }: Job): readonly Partial<BuildOptions>[] {
  if (work.is === "build") {
    const { only, isVerify = false, allowDeletes = false } = work;
    return [{ only, isVerify, allowDeletes, closes: true }];
  }
  if (work.is === "rebuild") return rebuildsOf(work);
  // What the clock changes is part of every rebuild.
  return [{ targets: [] }];
}

function rebuildsOf({ targets, kinds = [], everything = false, at = [], looksAgain }: Rebuild) {
  const read = { at: at.map(parsePosition) };
  if (everything) return [read];
  const named = kinds.length > 0 && targets.length === 0 ? [] : [{ ...read, targets, looksAgain }];
  return [...named, ...kinds.map((only) => ({ ...read, only }))];
}

function added(done: Omit<Done, "pages">, summary: Summary): Omit<Done, "pages"> {
  const { release, candidates, rendered, changed, deleted, failed, invalidated, bytes } = summary;
  return {
    releases: [...done.releases, ...(release === undefined ? [] : [release])],
    candidates: done.candidates + candidates,
    rendered: done.rendered + rendered,
    changed: done.changed + changed,
    deleted: done.deleted + deleted,
    failed: done.failed + failed,
    invalidated: done.invalidated + invalidated,
    bytes: done.bytes + bytes,
  };
}

async function verified(wired: Wired, { signal, emit }: Doing): Promise<Done> {
  const edge = wired.probing?.viewer;
  const options = { edge, signal, emit, sample: SAMPLE, onFindings: () => {} };
  const { pages, found } = await verify(wired, options);
  const flaws = Object.entries(found).filter(([, count]) => count > 0);
  const told = flaws.map(([flaw, count]) => `${count} ${flaw}`).join(", ");
  emit({ event: "note", message: `The store was compared: ${told || "nothing is wrong"}.` });
  const failed = flaws.reduce((sum, [, count]) => sum + count, 0);
  return { ...NOTHING, candidates: pages, failed, pages: [] };
}
