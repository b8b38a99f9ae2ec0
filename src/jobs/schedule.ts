import { PipelineError } from "../error.ts";
import type { RunEvent } from "../events.ts";
import { untilDone } from "../follow/until-done.ts";
import type { KeptTick, Ledger, NewTick } from "../ledger/ledger.ts";
import type { Site } from "../site.ts";
import type { JobRequest } from "./job.ts";
import { DUE, dueTick } from "./schedule-due.ts";
import type { Entry, Schedule } from "./schedule-entries.ts";
import { namesOf } from "./schedule-list.ts";
import { lastTick, nextTick } from "./schedule-ticks.ts";
import { askedOf, decideRequest } from "./submit.ts";

export { readSchedule, type Schedule } from "./schedule-entries.ts";
export { type ScheduledEntry, scheduled } from "./schedule-list.ts";

/**
 * The longest rests: rows that are due earlier than any before may come at any time, and a machine's
 * clock may be set, or stand still while the machine sleeps.
 */
const [DUE_REST_MS, REST_MS] = [5_000, 60_000];
const BY = "schedule";

/** What the schedule runs on. */
export interface Scheduling {
  readonly ledger: Ledger;
  readonly schedule: Schedule;
  /** Whose rows may be due. */
  readonly site: Site;
}

interface Telling {
  readonly emit: (event: RunEvent) => void;
  /** ms; for tests. */
  readonly now?: () => number;
}

export interface ScheduleOptions extends Telling {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Waits so long, or until the signal. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Asks for jobs when their time has come, until the signal. Any number of clones may do so on one
 * ledger: each tick is asked for once. What was missed while none ran is asked for once, the latest
 * tick of each entry. Goes on when the ledger is away for a while.
 * @throws PipelineError of failures that will not pass
 */
export async function runSchedule(on: Scheduling, options: ScheduleOptions): Promise<void> {
  try {
    await askUntilStopped(on, options);
  } catch (error) {
    const isStopped = error instanceof PipelineError && error.code === "interrupted";
    if (!isStopped || !options.signal.aborted) throw error;
  }
}

async function askUntilStopped(on: Scheduling, options: ScheduleOptions): Promise<void> {
  const { signal, sleep, now = Date.now } = options;
  const nextMs = new Map<Entry, number>();
  while (!signal.aborted) {
    for (const entry of on.schedule.entries) {
      if (now() < (nextMs.get(entry) ?? 0)) continue;
      nextMs.set(entry, await untilDone(options, () => askFor(on, entry, options)));
    }
    const dueMs = await untilDone(options, () => askForDue(on, options));
    const untilMs = Math.min(...nextMs.values(), dueMs) - now();
    const longestMs = on.schedule.hasDue ? DUE_REST_MS : REST_MS;
    await sleep(Math.max(0, Math.min(longestMs, untilMs)), signal);
  }
}

/**
 * Looks once: asks for whatever is due, for who is called again and again.
 * @throws PipelineError `ledger_unavailable`, `ledger_rejected`
 */
export async function askOnce(on: Scheduling, options: Telling): Promise<void> {
  for (const entry of on.schedule.entries) await askFor(on, entry, options);
  await askForDue(on, options);
}

/** Asks for an entry's job if it is time; gives the moment of the next tick. */
async function askFor(
  on: Scheduling,
  { name: entry, schedule, times, work, lane }: Entry,
  options: Telling,
): Promise<number> {
  const nowMs = (options.now ?? Date.now)();
  const askedAt = nowMs * 1000;
  const last = await on.ledger.lastTick(entry, schedule, askedAt);
  const tickMs = lastTick(times, last.at / 1000, nowMs);
  if (tickMs !== undefined) {
    const tick = { entry, at: tickMs * 1000, schedule, askedAt, isAlone: true };
    await ask(on, { tick, request: { work, lane, by: BY }, options });
  }
  return nextTick(times, nowMs) ?? Number.POSITIVE_INFINITY;
}

/** The same for rows that are due, gives the moment of the next row. */
async function askForDue(on: Scheduling, options: Telling): Promise<number> {
  if (!on.schedule.hasDue) return Number.POSITIVE_INFINITY;
  const now = (options.now ?? Date.now)() * 1000;
  const { over, next } = await on.ledger.dueMoments(now, namesOf(on.site));
  const [last] = over === undefined ? [] : await on.ledger.ticks(DUE, 1);
  const due = dueTick(over, last, now);
  if (due !== undefined) {
    const tick = { entry: DUE, at: due.at, schedule: DUE, askedAt: now, isAlone: due.isAgain };
    await ask(on, { tick, request: { work: { is: "due" }, lane: "live", by: BY }, options });
  }
  return next === undefined ? Number.POSITIVE_INFINITY : Math.ceil(next / 1000);
}

async function ask(
  { ledger }: Scheduling,
  {
    tick,
    request,
    options,
  }: {
    readonly tick: NewTick;
    readonly request: JobRequest;
    readonly options: Telling;
  },
): Promise<void> {
  const { askedAt: at } = tick;
  const kept = await ledger.tick(tick, { by: BY, asked: askedOf(request), at }, (known) =>
    decideRequest(request, at, known),
  );
  if (kept !== undefined) options.emit({ event: "note", message: toldOf(kept) });
}

function toldOf({ entry, at, job, isJoined }: KeptTick): string {
  const when = new Date(at / 1000).toISOString();
  const what = isJoined ? "is still at work on it" : "was asked for it";
  return `The schedule's ${entry} of ${when}: job ${job} ${what}.`;
}
