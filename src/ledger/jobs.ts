import { currentCode } from "./codes.ts";
import type { JobChange, JobLedger, KeptEvent, KeptJob } from "./job-port.ts";
import { takeJobTurns } from "./lease.ts";
import { asText, orUndefined } from "./rows.ts";
import { query, replaceRows, type SqlRow, type SqlValue, type Work } from "./sql.ts";

/** In the order of {@link encodeJob}. */
const JOB =
  "id,lane,state,work,attempts,requests,requested_at,start_at,latest_at,started_at,finished_at,holder,held_until,is_stopping,code,progress,outcome,error".split(
    ",",
  );
const EVENT = "job,id,at,event,data".split(",");
const REQUEST = "job,id,at,asker,ask_key,asked".split(",");
/** The state of jobs that wait. */
const WAITING = 0;
/** More than ever wait at once; beyond them requests make new jobs. */
const MOST_WAITING = 200;

/** @see JobLedger.request */
export function* request<T>(
  { by = "", key, asked, at }: Parameters<JobLedger["request"]>[0],
  decide: (known: Parameters<Parameters<JobLedger["request"]>[1]>[0]) => {
    readonly job?: KeptJob;
    readonly events?: JobChange["events"];
    readonly result: T;
  },
): Work<{ readonly job: KeptJob | undefined; readonly result: T }> {
  yield* takeJobTurns();
  const same = key === undefined ? undefined : yield* keyed(by, key);
  const { job, events, result } = decide({ waiting: yield* jobsIn(WAITING, MOST_WAITING), same });
  if (job === undefined) return { job: same?.job, result };
  const kept = job.id === 0 ? { ...job, id: (yield* last("nb_job", "id > ?", 0)) + 1 } : job;
  yield* write({ job: kept, ...(events && { events }) });
  const id = (yield* last("nb_request", "job = ?", kept.id)) + 1;
  yield* replaceRows("nb_request", REQUEST, [[kept.id, id, at, by, key ?? null, asked]]);
  return { job: kept, result };
}

/** @see JobLedger.changeJob */
export function* changeJob<T>(
  id: number,
  decide: (
    job: KeptJob | undefined,
    current: string | undefined,
  ) => Partial<JobChange> & { readonly result: T },
): Work<T> {
  yield* takeJobTurns();
  const { job, events, result } = decide(yield* keptJob(id), yield* currentCode());
  if (job !== undefined) yield* write({ job, ...(events && { events }) });
  return result;
}

/** @see JobLedger.keptJob */
export function* keptJob(id: number): Work<KeptJob | undefined> {
  const [row] = yield* query(`SELECT ${JOB} FROM nb_job WHERE id = ?`, [id]);
  return row && decodeJob(row);
}

/** @see JobLedger.keptJobs */
export function* keptJobs({
  state,
  lane,
  before = Number.MAX_SAFE_INTEGER,
  limit,
}: Parameters<JobLedger["keptJobs"]>[0]): Work<readonly KeptJob[]> {
  const only = [
    ...(state === undefined ? [] : [["state", state] as const]),
    ...(lane === undefined ? [] : [["lane", lane] as const]),
  ];
  const where = only.map(([column]) => ` AND ${column} = ?`).join("");
  const text = `SELECT ${JOB} FROM nb_job WHERE id < ?${where} ORDER BY id DESC LIMIT ?`;
  return (yield* query(text, [before, ...only.map(([, value]) => value), limit])).map(decodeJob);
}

/** @see JobLedger.jobsIn */
export function* jobsIn(state: number, limit: number): Work<readonly KeptJob[]> {
  const text = `SELECT ${JOB} FROM nb_job /* by index */ WHERE state = ? ORDER BY id LIMIT ?`;
  return (yield* query(text, [state, limit])).map(decodeJob);
}

/** @see JobLedger.jobCounts */
export function* jobCounts() {
  const text =
    "SELECT lane, state, COUNT(*) AS jobs FROM nb_job GROUP BY lane, state ORDER BY lane, state";
  return (yield* query(text)).map(({ lane, state, jobs }) => ({
    lane: Number(lane),
    state: Number(state),
    jobs: Number(jobs),
  }));
}

/** @see JobLedger.jobEvents */
export function* jobEvents(job: number, after: number, limit: number): Work<readonly KeptEvent[]> {
  const text =
    "SELECT id, at, event, data FROM nb_job_event WHERE job = ? AND id > ? ORDER BY id LIMIT ?";
  return (yield* query(text, [job, after, limit])).map((row) => ({
    id: Number(row["id"]),
    at: Number(row["at"]),
    event: asText(row["event"]),
    data: asText(row["data"]),
  }));
}

/** @see JobLedger.forgetJobs The newest stays, so that no number is given twice. */
export function* forgetJobs(endedBefore: number, limit: number): Work<number> {
  yield* takeJobTurns();
  const newest = yield* last("nb_job", "id > ?", 0);
  const text = "SELECT id FROM nb_job WHERE finished_at < ? AND id < ? ORDER BY id LIMIT ?";
  const ids = (yield* query(text, [endedBefore, newest, limit])).map(({ id }) => Number(id));
  for (const id of ids) {
    yield* query("DELETE FROM nb_job_event WHERE job = ?", [id]);
    yield* query("DELETE FROM nb_request WHERE job = ?", [id]);
    yield* query("DELETE FROM nb_job WHERE id = ?", [id]);
  }
  return ids.length;
}

function* keyed(by: string, key: string) {
  const text =
    "SELECT job, asked FROM nb_request /* by index */ WHERE ask_key = ? AND asker = ? ORDER BY job DESC LIMIT 1";
  const [row] = yield* query(text, [key, by]);
  const job = row && (yield* keptJob(Number(row["job"])));
  return job && { job, asked: asText(row?.["asked"]) };
}

function* write({ job, events = [] }: JobChange): Work<void> {
  yield* replaceRows("nb_job", JOB, [encodeJob(job)]);
  if (events.length === 0) return;
  const before = yield* last("nb_job_event", "job = ?", job.id);
  const rows = events.map(({ at, event, data }, index) => [
    job.id,
    before + index + 1,
    at,
    event,
    data,
  ]);
  yield* replaceRows("nb_job_event", EVENT, rows);
}

function* last(table: string, where: string, value: number): Work<number> {
  const text = `SELECT MAX(id) AS last FROM ${table} WHERE ${where}`;
  const [row] = yield* query(text, [value]);
  return Number(row?.["last"] ?? 0);
}

function encodeJob(job: KeptJob): SqlValue[] {
  const { id, lane, state, work, attempts, requests, requestedAt, startAt, latestAt } = job;
  const { startedAt = null, finishedAt = null, holder = null, heldUntil = null } = job;
  const { code = null, progress = null, outcome = null, error = null } = job;
  const asked = [id, lane, state, work, attempts, requests, requestedAt, startAt, latestAt];
  const run = [startedAt, finishedAt, holder, heldUntil, job.isStopping ? 1 : 0, code];
  return [...asked, ...run, progress, outcome, error];
}

function decodeJob(row: SqlRow): KeptJob {
  const number = (column: string) => Number(row[column]);
  const maybe = (column: string) => orUndefined(row[column], Number);
  const text = (column: string) => orUndefined(row[column], asText);
  return {
    id: number("id"),
    lane: number("lane"),
    state: number("state"),
    work: asText(row["work"]),
    attempts: number("attempts"),
    requests: number("requests"),
    requestedAt: number("requested_at"),
    startAt: number("start_at"),
    latestAt: number("latest_at"),
    startedAt: maybe("started_at"),
    finishedAt: maybe("finished_at"),
    holder: text("holder"),
    heldUntil: maybe("held_until"),
    isStopping: number("is_stopping") === 1,
    code: text("code"),
    progress: text("progress"),
    outcome: text("outcome"),
    error: text("error"),
  };
}
