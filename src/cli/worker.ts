import { PipelineError } from "../error.ts";
import type { Job } from "../jobs/job.ts";
import type { WorkerEvent } from "../jobs/worker.ts";
import type { Args } from "./args.ts";
import { COMMON, type Command, configOf, type Io } from "./command.ts";
import { count, duration } from "./format.ts";
import { checkSource } from "./run-build.ts";
import { plain } from "./terminal.ts";

/** Jobs that wait for others' servers fill each other's pauses; more publish no faster. */
const CONCURRENCY = 2;
/** Orchestrators kill after thirty: enough is left to hand back what did not end. */
const GRACE_SECONDS = 20;

/** `nightbake worker` */
export const workerCommand: Command = {
  name: "worker",
  summary: "Runs the jobs of the queue, until Ctrl-C or SIGTERM; any number may, on any machine.",
  details:
    "Jobs come from `nightbake serve`, its HTTP API and its schedule. Workers that share a ledger share the\n" +
    "work; with REDIS_URL they are woken at once, without it they look in the ledger every second. A worker\n" +
    "that is stopped ends what ends in time and hands back the rest; one that is killed is replaced within 15\n" +
    "seconds. Several machines need LEDGER_URL. Workers with nothing to do help the one that publishes much.\n" +
    "The first worker with templates, content or code that nobody had makes them the current ones: all\n" +
    "others stop publishing at once, and wait (see `nightbake code`).",
  positionals: [],
  options: {
    concurrency: { value: "N", says: `Jobs in hand at once (default ${CONCURRENCY}).` },
    grace: {
      value: "SECONDS",
      says: `What a stopped worker gives its jobs to end (default ${GRACE_SECONDS}).`,
    },
    activate: { says: "Makes this code the current one though other code came after it." },
    ...COMMON,
  },
  examples: [
    { line: "worker", says: "one more worker" },
    { line: "worker --activate", says: "after a release was taken back: older code goes on" },
  ],
  async run(args, io) {
    const concurrency = numberOf(args, "concurrency", CONCURRENCY);
    const graceMs = numberOf(args, "grace", GRACE_SECONDS) * 1000;
    const config = configOf(args, io);
    checkSource(config);
    const [{ openWork }, { work }] = await Promise.all([
      import("../wiring.ts"),
      import("../jobs/worker.ts"),
    ]);
    await using opened = await openWork(config);
    const { signal } = io;
    const emit = teller(io, args.has("json"));
    await work(opened, {
      ...{ concurrency, graceMs, signal, emit },
      isActivated: args.has("activate"),
    });
    return 0;
  },
};

function teller(io: Io, isJson: boolean): (event: WorkerEvent) => void {
  let trouble: string | undefined;
  return (event) => {
    if (event.event === "trouble") {
      const said = messageOf(event.error);
      // An outage is told once, not each second.
      if (said !== trouble) write(io, isJson, { event: "trouble", message: said }, said);
      trouble = said;
      return;
    }
    trouble = undefined;
    write(io, isJson, event, textOf(event));
  };
}

function write(io: Io, isJson: boolean, event: object, text: string): void {
  if (isJson) io.out.write(`${JSON.stringify(event)}\n`);
  else io.err.write(`${plain(text)}\n`);
}

function textOf(event: Exclude<WorkerEvent, { readonly event: "trouble" }>): string {
  if (event.event === "outdated") {
    return `release_outdated: other code (${event.current}) was activated after this (${event.code}); nothing is taken until this is current again.`;
  }
  if (event.event === "current") return `This code (${event.code}) is current again.`;
  const { job } = event;
  const name = `Job ${job.id} (${job.work.is}, ${job.lane})`;
  if (event.event === "started") return `${name} started, attempt ${job.attempts}.`;
  return `${name} ${becameOf(job)}`;
}

function becameOf({ state, error, outcome, startAt }: Job): string {
  if (state === "done" && outcome !== undefined) {
    const { changed, deleted, failed, seconds } = outcome;
    const failures = failed > 0 ? `, ${count(failed)} failed` : "";
    return `is done: ${count(changed)} changed, ${count(deleted)} deleted${failures}; live ${duration(seconds)} after it was asked for.`;
  }
  if (state === "failed") return `failed: ${error?.code}: ${error?.message}`;
  if (state === "cancelled") return "was cancelled.";
  const ms = Math.max(0, startAt / 1000 - Date.now());
  const why = error === undefined ? "" : ` after ${error.code}: ${error.message}`;
  return `waits again, for ${duration(ms / 1000)}${why}.`;
}

function messageOf(error: unknown): string {
  return error instanceof PipelineError ? `${error.code}: ${error.message}` : String(error);
}

function numberOf(args: Args, option: string, fallback: number): number {
  const text = args.value(option) ?? String(fallback);
  const isFine = /^\d{1,5}$/.test(text) && (option === "grace" || Number(text) > 0);
  if (isFine) return Number(text);
  throw new PipelineError("config_invalid", `--${option} ${text} cannot be used.`, {
    hint: "Write a whole number from 1 on.",
  });
}
