import type { KeptJob } from "./job-port.ts";
import { keptJob, request } from "./jobs.ts";
import { takeJobTurns } from "./lease.ts";
import { asText, orUndefined } from "./rows.ts";
import { query, queryIn, replaceRows, type SqlRow, type Work } from "./sql.ts";
import type { KeptTick, TickLedger } from "./tick-port.ts";

const TICK = "entry,at,schedule,asked_at,job,is_joined".split(",");
const [MINUTE, MONTH] = [60_000_000, 30 * 86_400_000_000];

/** @see TickLedger.tick */
export function* tick(
  { isAlone, ...fresh }: Parameters<TickLedger["tick"]>[0],
  asked: Parameters<TickLedger["tick"]>[1],
  decide: Parameters<TickLedger["tick"]>[2],
): Work<KeptTick | undefined> {
  yield* takeJobTurns();
  const before = yield* newest(fresh.entry, fresh.schedule);
  if (before !== undefined && before.at >= fresh.at) return undefined;
  const open = isAlone ? yield* openJob(before) : undefined;
  const job = open ?? (yield* request(asked, decide)).job?.id;
  const kept = { ...fresh, job, isJoined: open !== undefined };
  yield* write(kept);
  yield* query("DELETE FROM nb_tick WHERE entry = ? AND at < ?", [fresh.entry, fresh.at - MONTH]);
  return kept;
}

/** @see TickLedger.lastTick */
export function* lastTick(entry: string, schedule: string, now: number): Work<KeptTick> {
  yield* takeJobTurns();
  const text = "SELECT at FROM nb_tick WHERE entry = ? AND schedule = ? LIMIT 1";
  const [known] = yield* query(text, [entry, schedule]);
  const last = known && (yield* newest(entry, schedule));
  if (last !== undefined) return last;
  // Ticks are at full minutes, and none of them may be overwritten.
  const at = now % MINUTE === 0 ? now + 1 : now;
  const begun = { entry, at, schedule, askedAt: now, job: undefined, isJoined: false };
  yield* write(begun);
  return begun;
}

/** @see TickLedger.ticks */
export function* ticks(
  entry: string,
  limit: number,
): Work<readonly (KeptTick & { readonly state: KeptJob | undefined })[]> {
  const text = `SELECT ${TICK} FROM nb_tick WHERE entry = ? AND job IS NOT NULL ORDER BY at DESC LIMIT ?`;
  const found = [];
  for (const each of (yield* query(text, [entry, limit])).map(decodeTick)) {
    found.push({ ...each, state: yield* jobOf(each) });
  }
  return found;
}

/** @see TickLedger.dueMoments */
export function* dueMoments(
  now: number,
  tables: readonly string[],
): Work<{ readonly over: number | undefined; readonly next: number | undefined }> {
  const over = yield* dueMoment("due_at <= ?", "due_at DESC", now, tables);
  const next = yield* dueMoment("due_at > ?", "due_at", now, tables);
  return { over, next };
}

function* dueMoment(where: string, order: string, now: number, tables: readonly string[]) {
  const text = `SELECT due_at FROM nb_due WHERE ${where} AND tbl IN (?) ORDER BY ${order} LIMIT 1`;
  const [row] = yield* queryIn(text, tables, [now]);
  return orUndefined(row?.["due_at"], Number);
}

/** The last tick that has a job, or at which this schedule began. */
function* newest(entry: string, schedule: string): Work<KeptTick | undefined> {
  const text = `SELECT ${TICK} FROM nb_tick WHERE entry = ? AND (job IS NOT NULL OR schedule = ?)
    ORDER BY at DESC LIMIT 1`;
  const [row] = yield* query(text, [entry, schedule]);
  return row && decodeTick(row);
}

/** The number of a tick's job that waits or runs. */
function* openJob(tick: KeptTick | undefined): Work<number | undefined> {
  const job = tick && (yield* jobOf(tick));
  return job?.finishedAt === undefined ? job?.id : undefined;
}

function* jobOf({ job }: KeptTick): Work<KeptJob | undefined> {
  return job === undefined ? undefined : yield* keptJob(job);
}

function* write(kept: KeptTick): Work<void> {
  const { entry, at, schedule, askedAt, job = null, isJoined } = kept;
  yield* replaceRows("nb_tick", TICK, [[entry, at, schedule, askedAt, job, isJoined ? 1 : 0]]);
}

function decodeTick(row: SqlRow): KeptTick {
  return {
    entry: asText(row["entry"]),
    at: Number(row["at"]),
    schedule: asText(row["schedule"]),
    askedAt: Number(row["asked_at"]),
    job: orUndefined(row["job"], Number),
    isJoined: Number(row["is_joined"]) === 1,
  };
}
