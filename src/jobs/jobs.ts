import { setTimeout as sleep } from "node:timers/promises";
import type { Ledger } from "../ledger/ledger.ts";
import { type Job, type JobEvent, type Jobs, LANES, STATES } from "./job.ts";
import { eventAt, eventOf, jobOf, numberOf } from "./kept.ts";
import { askedOf, decideRequest } from "./submit.ts";

/** Between two looks at the ledger for new events. */
const POLL_MS = 250;
/** Events in one look. */
const EVENTS = 200;
const ENDED: readonly Job["state"][] = ["done", "failed", "cancelled"];

export interface JobsOptions {
  /** Told of each job that waits from now on, to wake a worker; without it they find it within a second. */
  readonly onWaiting?: (job: Job) => Promise<void>;
  /** µs; for tests. */
  readonly now?: () => number;
  readonly pollMs?: number;
}

/** The jobs of a ledger. Any process that has it open may do all of this. */
export function openJobs(
  ledger: Ledger,
  { onWaiting, now = () => Date.now() * 1000, pollMs = POLL_MS }: JobsOptions = {},
): Jobs {
  const wake = async (job: Job) => {
    // What is lost here the workers find by themselves.
    if (job.state === "waiting") await onWaiting?.(job).catch(() => undefined);
    return job;
  };
  const job = async (id: string) => {
    const number = numberOf(id);
    const kept = number === undefined ? undefined : await ledger.keptJob(number);
    return kept && jobOf(kept);
  };
  return {
    async submit(request) {
      const at = now();
      const { by, idempotencyKey: key } = request;
      const asked = { ...(by && { by }), ...(key && { key }), asked: askedOf(request), at };
      const { job: kept, result: isNew } = await ledger.request(asked, (known) =>
        decideRequest(request, at, known),
      );
      if (kept === undefined) throw new TypeError("A request led to no job.");
      return { job: await wake(jobOf(kept)), isNew };
    },
    job,
    async list({ state, lane, limit, before }) {
      const of = {
        state: state && STATES.indexOf(state),
        lane: lane && LANES.indexOf(lane),
        before: before === undefined ? undefined : (numberOf(before) ?? 0),
        limit,
      };
      return (await ledger.keptJobs(of)).map(jobOf);
    },
    async counts() {
      return (await ledger.jobCounts()).flatMap(({ jobs, ...of }) => {
        const [lane, state] = [LANES[of.lane], STATES[of.state]];
        return lane === undefined || state === undefined ? [] : { lane, state, jobs };
      });
    },
    cancel: (id) => cancel(ledger, id, now()),
    async retry(id) {
      const retried = await retry(ledger, id, now());
      return retried && (await wake(retried));
    },
    events: (id, after, signal) => events({ ledger, job, pollMs }, { id, after, signal }),
  };
}

async function cancel(ledger: Ledger, id: string, now: number): Promise<Job | undefined> {
  const number = numberOf(id);
  if (number === undefined) return undefined;
  return await ledger.changeJob(number, (kept) => {
    const state = kept && STATES[kept.state];
    if (kept === undefined) return { result: undefined };
    if (state === "running") {
      const job = { ...kept, isStopping: true };
      return { job, result: jobOf(job) };
    }
    if (state !== "waiting") return { result: jobOf(kept) };
    const job = { ...kept, state: STATES.indexOf("cancelled"), finishedAt: now };
    return { job, events: [eventAt(now, "cancelled")], result: jobOf(job) };
  });
}

async function retry(ledger: Ledger, id: string, now: number): Promise<Job | undefined> {
  const number = numberOf(id);
  if (number === undefined) return undefined;
  return await ledger.changeJob(number, (kept) => {
    if (kept === undefined) return { result: undefined };
    const old = jobOf(kept);
    if (old.state !== "failed" && old.state !== "cancelled") return { result: old };
    const job = {
      ...kept,
      ...{ state: STATES.indexOf("waiting"), attempts: 0, startAt: now, latestAt: now },
      ...{ finishedAt: undefined, error: undefined, progress: undefined, isStopping: false },
    };
    const event = eventAt(now, "queued", { by: "retry", lane: old.lane, work: old.work });
    return { job, events: [event], result: jobOf(job) };
  });
}

async function* events(
  { ledger, job, pollMs }: { readonly ledger: Ledger; readonly pollMs: number } & Pick<Jobs, "job">,
  { id, after, signal }: { id: string; after: number; signal: AbortSignal },
): AsyncGenerator<JobEvent> {
  const number = numberOf(id);
  let last = after;
  while (number !== undefined) {
    // Read before its events: when it has ended by then, they hold its last.
    const state = (await job(id))?.state;
    const found = await ledger.jobEvents(number, last, EVENTS);
    for (const each of found) {
      yield eventOf(each);
      last = each.id;
    }
    if (found.length > 0) continue;
    if (state === undefined || ENDED.includes(state) || signal.aborted) return;
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
}
