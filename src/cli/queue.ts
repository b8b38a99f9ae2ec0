import { PipelineError } from "../error.ts";
import type { Job, JobEvent, JobState, Jobs, Lane, Work } from "../jobs/job.ts";
import { didYouMean } from "../nearest.ts";
import type { Args } from "./args.ts";
import { COMMON, type Command, configOf, type ExitCode, type Io } from "./command.ts";
import { count, instant, table } from "./format.ts";
import { plain } from "./terminal.ts";

const LIMIT = 20;
/** Targets named in a line; of the others the number. */
const NAMED = 3;

/** `nightbake queue [ACTION] [ID]` */
export const queueCommand: Command = {
  name: "queue",
  summary: "Lists, shows, cancels and retries the jobs of workers.",
  details:
    "ACTION is list (the default), counts, show, cancel or retry; the last three need a job's ID. A job that\n" +
    "failed is a dead letter: it stays for 30 days with its reason, and can be retried. One that runs is told\n" +
    "to stop when it is cancelled; what it has published stays, consistent, and the next build goes on from it.",
  positionals: ["[ACTION]", "[ID]"],
  options: {
    state: { value: "STATE", says: "Of list: waiting, running, done, failed or cancelled only." },
    lane: { value: "LANE", says: "Of list: takedown, editor, live or nightly only." },
    limit: { value: "N", says: `Jobs to list at most (default ${LIMIT}).` },
    ...COMMON,
  },
  examples: [
    { line: "queue", says: "the last jobs" },
    { line: "queue list --state failed", says: "dead letters" },
    { line: "queue show 42", says: "one job and all its events" },
    { line: "queue retry 42", says: "what it failed for is put right" },
  ],
  async run(args, io) {
    const [action = "list", id] = args.positionals;
    const act = ACTIONS[action];
    if (act === undefined) throw unknown("action", action, Object.keys(ACTIONS));
    const [{ openLedger }, { openJobs }] = await Promise.all([
      import("../wiring-ledger.ts"),
      import("../jobs/jobs.ts"),
    ]);
    await using ledger = await openLedger(configOf(args, io));
    return await act(openJobs(ledger), { args, io, id });
  },
};

interface Asked {
  readonly args: Args;
  readonly io: Io;
  readonly id: string | undefined;
}

const ACTIONS: Readonly<Record<string, (jobs: Jobs, asked: Asked) => Promise<ExitCode>>> = {
  list,
  counts,
  show,
  cancel: (jobs, asked) => change(jobs.cancel, asked),
  retry: (jobs, asked) => change(jobs.retry, asked),
};

async function list(jobs: Jobs, { args, io }: Asked): Promise<ExitCode> {
  const { LANES, STATES } = await import("../jobs/job.ts");
  const found = await jobs.list({
    state: oneOf<JobState>(args, "state", STATES),
    lane: oneOf<Lane>(args, "lane", LANES),
    limit: limitOf(args.value("limit")),
  });
  if (args.has("json")) for (const job of found) io.out.write(lineOf(job));
  else io.out.write(found.length === 0 ? "There is no such job.\n" : tableOf(found));
  return 0;
}

async function counts(jobs: Jobs, { args, io }: Asked): Promise<ExitCode> {
  const counted = await jobs.counts();
  if (args.has("json")) {
    for (const each of counted) io.out.write(`${JSON.stringify({ event: "count", ...each })}\n`);
    return 0;
  }
  const rows = counted.map(({ lane, state, jobs: number }) => [lane, state, count(number)]);
  io.out.write(
    rows.length === 0
      ? "There is no job.\n"
      : table([["Lane", "State", "Jobs"], ...rows], { right: [2] }),
  );
  return 0;
}

async function show(jobs: Jobs, { args, io, id }: Asked): Promise<ExitCode> {
  const job = await jobs.job(needed(id));
  if (job === undefined) throw noSuchJob(id);
  // Those there are, not those to come.
  const past = AbortSignal.abort();
  const events = await Array.fromAsync(jobs.events(job.id, 0, past));
  if (args.has("json")) {
    io.out.write(lineOf(job));
    for (const each of events)
      io.out.write(`${JSON.stringify({ ...each, at: instant(each.at) })}\n`);
    return 0;
  }
  io.out.write(tableOf([job]));
  if (job.error !== undefined)
    io.out.write(
      `${plain(`${job.error.code}: ${job.error.message} ${job.error.hint ?? ""}`.trim())}\n`,
    );
  const rows = events.map((each) => [String(each.id), instant(each.at), each.event, dataOf(each)]);
  io.out.write(table([["", "When", "Event", ""], ...rows], { right: [0] }));
  return 0;
}

async function change(
  act: (id: string) => Promise<Job | undefined>,
  { args, io, id }: Asked,
): Promise<ExitCode> {
  const job = await act(needed(id));
  if (job === undefined) throw noSuchJob(id);
  const stopping = job.isStopping ? " and was told to stop" : "";
  io.out.write(args.has("json") ? lineOf(job) : `Job ${job.id} is ${job.state}${stopping}.\n`);
  return 0;
}

function lineOf(job: Job): string {
  const moments = Object.fromEntries(
    (["requestedAt", "startAt", "startedAt", "finishedAt"] as const).map((name) => {
      const at = job[name];
      return [name, at === undefined ? undefined : instant(at)];
    }),
  );
  return `${JSON.stringify({ event: "job", ...job, ...moments })}\n`;
}

function tableOf(jobs: readonly Job[]): string {
  const rows = jobs.map((job) => [
    job.id,
    job.lane,
    plain(workText(job.work)),
    stateText(job),
    count(job.requests),
    count(job.attempts),
    instant(job.requestedAt),
  ]);
  return table([["Job", "Lane", "Work", "State", "Requests", "Attempts", "Since"], ...rows], {
    right: [0, 4, 5],
  });
}

function workText(work: Work): string {
  if (work.is === "build") return work.only === undefined ? "build" : `build ${work.only}`;
  if (work.is !== "rebuild") return work.is;
  if (work.everything === true) return "rebuild everything";
  const named = [...work.targets, ...(work.kinds ?? [])];
  const more = named.length > NAMED ? ` and ${named.length - NAMED} more` : "";
  return `rebuild ${named.slice(0, NAMED).join(" ")}${more}`;
}

function stateText({ state, error, progress, isStopping }: Job): string {
  if (isStopping) return "stopping";
  if (state === "running" && progress !== undefined) {
    const { phase, done, total } = progress;
    return `running: ${phase} ${count(done)}${total === undefined ? "" : `/${count(total)}`}`;
  }
  return error === undefined ? state : `${state}: ${error.code}`;
}

function dataOf({ data }: JobEvent): string {
  const { pages, ...rest } = data;
  const some = { ...rest, ...(Array.isArray(pages) && { pages: pages.length }) };
  return Object.keys(some).length === 0 ? "" : plain(JSON.stringify(some));
}

function oneOf<T extends string>(args: Args, option: string, names: readonly T[]): T | undefined {
  const text = args.value(option);
  const found = names.find((each) => each === text);
  if (text === undefined || found !== undefined) return found;
  throw unknown(option, text, names);
}

function limitOf(text = String(LIMIT)): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new PipelineError("config_invalid", `--limit ${text} is no number of jobs.`, {
    hint: "Write a whole number from 1 on.",
  });
}

function needed(id: string | undefined): string {
  if (id !== undefined) return id;
  throw new PipelineError("config_invalid", "It has to be said which job.", {
    hint: "`nightbake queue` lists them with their numbers.",
  });
}

function noSuchJob(id = ""): PipelineError {
  return new PipelineError("config_invalid", `There is no job ${id}.`, {
    hint: "`nightbake queue` lists those there are; they are kept for 30 days after they ended.",
  });
}

function unknown(what: string, name: string, names: readonly string[]): PipelineError {
  const message = `There is no ${what} ${name}.${didYouMean(name, names)}`;
  return new PipelineError("config_invalid", message, { hint: `There are ${names.join(", ")}.` });
}
