import { PipelineError } from "../error.ts";
import type { Args } from "./args.ts";
import { COMMON, type Command, configOf } from "./command.ts";
import { checkSource } from "./run-build.ts";
import { workerTeller } from "./worker-text.ts";

/** Jobs that wait for others' servers fill each other's pauses; more publish no faster. */
export const CONCURRENCY = 2;
/** Orchestrators kill after thirty: enough is left to hand back what did not end. */
export const GRACE_SECONDS = 20;

/** `nightbake worker` */
export const workerCommand: Command = {
  name: "worker",
  summary: "Runs the jobs of the queue, until Ctrl-C or SIGTERM; any number may, on any machine.",
  details:
    "Jobs come from `nightbake serve`, its HTTP API and its schedule. Workers that share a ledger share the\n" +
    "work; with REDIS_URL or SQS_QUEUE_URL they are woken at once, without one they look in the ledger every\n" +
    "second. A worker that is stopped ends what ends in time and hands back the rest; one that is killed is\n" +
    "replaced within 15 seconds. Several machines need LEDGER_URL. Workers with nothing to do help the one that publishes much.\n" +
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
    const emit = workerTeller(io, args.has("json"));
    await work(opened, {
      ...{ concurrency, graceMs, signal, emit },
      isActivated: args.has("activate"),
    });
    return 0;
  },
};

function numberOf(args: Args, option: string, fallback: number): number {
  const text = args.value(option) ?? String(fallback);
  const isFine = /^\d{1,5}$/.test(text) && (option === "grace" || Number(text) > 0);
  if (isFine) return Number(text);
  throw new PipelineError("config_invalid", `--${option} ${text} cannot be used.`, {
    hint: "Write a whole number from 1 on.",
  });
}
