import { PipelineError } from "../error.ts";
import type { BuildOptions, Wired } from "../pipeline.ts";
import { parsePosition } from "../source/flavour.ts";
import { startJob } from "./attempt.ts";
import { doneOf } from "./do-work.ts";
import { type Job, LANES, type Rebuild, STATES } from "./job.ts";
import { openJobs } from "./jobs.ts";
import { jobOf } from "./kept.ts";
import { jobMessage } from "./message.ts";
import { nextJob } from "./next-job.ts";
import type { Worker } from "./open-worker.ts";
import { runJob } from "./run-job.ts";
import { openNamed } from "./watch-changed.ts";

/** Between two looks for jobs that are in a hurry. */
const LOOK_MS = 20;
/** Jobs among which the next is chosen. */
const MOST = 200;

type Overtake = Parameters<NonNullable<BuildOptions["onPause"]>>[0];

/** Lets rebuilds of more urgent lanes pass while a job's build publishes. */
export interface Passing {
  readonly onPause: NonNullable<BuildOptions["onPause"]>;
  /** Once the job has ended: waits for those that passed, and asks for what comes of them and of it. */
  end(): Promise<void>;
}

/** Nobody has passed the job yet. */
export function openPassing(worker: Worker, host: Job): Passing {
  const { wired, now } = worker;
  const works: Promise<unknown>[] = [];
  const targets = new Set<string>();
  let nextLook = 0;
  const next = async () => {
    const waiting = await wired.ledger.jobsIn(STATES.indexOf("waiting"), MOST);
    return nextJob(
      waiting.filter((job) => mayPass(jobOf(job), host)),
      now(),
    );
  };
  return {
    async onPause(overtake) {
      if (now() < nextLook) return;
      for (let job = await next(); job !== undefined; job = await next()) {
        const passed = await pass(worker, { id: job.id, host, overtake });
        if (passed === undefined) break;
        works.push(passed.over);
        for (const each of passed.targets) targets.add(each);
      }
      nextLook = now() + LOOK_MS * 1000;
    },
    async end() {
      await Promise.all(works);
      if (targets.size === 0) return;
      const work = { is: "rebuild", targets: [...targets], looksAgain: true } as const;
      const onWaiting = (job: Job) => worker.queue.send([jobMessage(job, now() / 1000)]);
      await openJobs(wired.ledger, { onWaiting }).submit({ work, lane: "live", by: "worker" });
    },
  };
}

/** Runs a job between two batches of another's build; ends when it is published, `over` when it is live. */
async function pass(
  worker: Worker,
  { id, host, overtake }: { readonly id: number; readonly host: Job; readonly overtake: Overtake },
) {
  const { wired, code, name, now, signal, emit } = worker;
  const hold = { id, code, holder: `${name}-${worker.attempt()}` };
  const started = await startJob(wired.ledger, hold, now());
  if (started === undefined || started === "outdated") return undefined;
  const job = jobOf(started);
  emit({ event: "started", job });
  let targets: readonly string[] = [];
  const over = Promise.withResolvers<void>();
  const published = new Promise<void>((resolve) => {
    const doWork = async (_: Wired, { work }: Job, { emit: tell }: Pick<BuildOptions, "emit">) => {
      // A request may have joined it since it was chosen.
      if (work.is !== "rebuild" || !mayPass(job, host)) throw tooMuch();
      const named = openNamed(wired.site.origin);
      const { summary, live } = await overtake({ ...askedOf(work), emit: tell, onPut: named.add });
      targets = work.targets;
      resolve();
      await live;
      return { ...doneOf([summary]), pages: named.pages() };
    };
    void runJob(wired, started, hold, { now, signal, doWork }).then(
      (ended) => {
        if (ended !== undefined) emit({ event: "ended", job: jobOf(ended) });
        resolve();
        over.resolve();
      },
      (error: unknown) => {
        emit({ event: "trouble", error });
        resolve();
        over.resolve();
      },
    );
  });
  await published;
  return { over: over.promise, targets };
}

function tooMuch(): PipelineError {
  return new PipelineError("run_conflict", "What it names by now waits until the build is over.");
}

/** What a rebuild names can be looked at beside a build; kinds and everything are builds themselves. */
function mayPass({ lane, work }: Job, host: Job): boolean {
  if (LANES.indexOf(lane) >= LANES.indexOf(host.lane) || work.is !== "rebuild") return false;
  return work.everything !== true && (work.kinds ?? []).length === 0;
}

function askedOf({ targets, at = [] }: Rebuild): Pick<BuildOptions, "targets" | "at"> {
  return { targets, at: at.map(parsePosition) };
}
