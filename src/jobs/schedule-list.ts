import type { Ledger } from "../ledger/ledger.ts";
import { type Site, tablesOf } from "../site.ts";
import type { Job } from "./job.ts";
import { jobOf } from "./kept.ts";
import { DUE } from "./schedule-due.ts";
import type { Schedule } from "./schedule-entries.ts";
import { ticksBetween } from "./schedule-ticks.ts";

/** An entry of the schedule with what it did and will do. Instants are µs. */
export interface ScheduledEntry {
  readonly name: string;
  /** `0 3 * * *`; undefined for the entry of rows that are due. */
  readonly expression: string | undefined;
  readonly zone: string | undefined;
  /** Ascending. */
  readonly next: readonly number[];
  /** Newest first. */
  readonly last: readonly ScheduledTick[];
}

interface ScheduledTick {
  readonly at: number;
  readonly job: string;
  /** Undefined when the job is forgotten. */
  readonly state: Job["state"] | undefined;
  /** It got the job of the tick before, which had not ended. */
  readonly isJoined: boolean;
}

/** How many ticks are told of each entry, at most, to come and past. */
const TOLD = 3;
const YEARS_MS = 41 * 366 * 86_400_000;

/** The tables whose due rows count: one that is gone from the site has no say. */
export function namesOf({ kinds }: Site): readonly string[] {
  return tablesOf(kinds).map(({ name }) => name);
}

/** What is scheduled, for people to read. Changes nothing. */
export async function scheduled(
  on: {
    readonly ledger: Pick<Ledger, "ticks" | "dueMoments">;
    readonly schedule: Schedule;
    readonly site: Site;
  },
  nowMs: number,
): Promise<readonly ScheduledEntry[]> {
  const { entries, hasDue, zone } = on.schedule;
  const told = entries.map(async ({ name, times }): Promise<ScheduledEntry> => {
    const next = ticksBetween(times, nowMs, nowMs + YEARS_MS).take(TOLD);
    const last = await lastOf(on.ledger, name);
    const { expression } = times.cron;
    return { name, expression, zone, next: [...next].map((ms) => ms * 1000), last };
  });
  if (hasDue) told.push(dueEntry(on, nowMs));
  return await Promise.all(told);
}

async function dueEntry(
  { ledger, site }: Pick<Parameters<typeof scheduled>[0], "ledger" | "site">,
  nowMs: number,
): Promise<ScheduledEntry> {
  const { next } = await ledger.dueMoments(nowMs * 1000, namesOf(site));
  const last = await lastOf(ledger, DUE);
  const none = { expression: undefined, zone: undefined };
  return { name: DUE, ...none, next: next === undefined ? [] : [next], last };
}

async function lastOf(
  ledger: Pick<Ledger, "ticks">,
  name: string,
): Promise<readonly ScheduledTick[]> {
  return (await ledger.ticks(name, TOLD)).map(({ at, job, state, isJoined }) => ({
    at,
    job: String(job),
    state: state && jobOf(state).state,
    isJoined,
  }));
}
