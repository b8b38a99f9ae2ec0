import type { ServeOptions } from "../control/serve.ts";
import type { Answered } from "../control/server.ts";
import type { Args } from "./args.ts";
import { COMMON, type Command, type Io } from "./command.ts";
import { errorRecord, errorText } from "./errors.ts";
import { duration } from "./format.ts";
import { checkSource } from "./run-build.ts";
import { scheduleTeller } from "./schedule-text.ts";
import { plain } from "./terminal.ts";
import { CONCURRENCY, GRACE_SECONDS } from "./worker.ts";
import { workerTeller } from "./worker-text.ts";

/** `nightbake serve` */
export const serveCommand: Command = {
  name: "serve",
  summary:
    "Answers the HTTP API: rebuilds, jobs and their events, health, metrics; asks for what is scheduled.",
  details:
    "Whoever asks needs a token of `nightbake tokens add`. Any number of these may run, on one LEDGER_URL; each\n" +
    "answers for all jobs. Without REDIS_URL or SQS_QUEUE_URL it runs the jobs, too; with one of them `nightbake\n" +
    "worker` does, unless --worker is said. It asks for nightly builds and what else `nightbake schedule` does, each once however many\n" +
    "of these run, until Ctrl-C or SIGTERM. It speaks HTTP: what stands before it has to end TLS when others are to reach it.\n" +
    "docs/reference/http-api.md has the routes.",
  positionals: [],
  options: {
    host: {
      value: "HOST",
      says: "The address to listen on (default 127.0.0.1, or NIGHTBAKE_HOST).",
    },
    port: {
      value: "PORT",
      short: "p",
      says: "The port; 0 for a free one (default 8377, or NIGHTBAKE_PORT).",
    },
    worker: { says: "Runs jobs, too, though there is a queue in Redis." },
    ...COMMON,
  },
  examples: [
    { line: "serve", says: "one process for all, with the embedded parts" },
    { line: "serve --host 0.0.0.0 --port 8080", says: "a clone of several, behind a proxy" },
    { line: "serve --worker", says: "one that takes jobs from Redis as well" },
  ],
  async run(args, io) {
    const [out, configFile] = [args.value("out"), args.value("config")];
    const [host, port] = [args.value("host"), args.value("port")];
    const config = io.config({ out, config: configFile, host, port });
    checkSource(config);
    const [{ openWork }, { serve }, { readSchedule }] = await Promise.all([
      import("../wiring.ts"),
      import("../control/serve.ts"),
      import("../jobs/schedule.ts"),
    ]);
    const schedule = readSchedule(config, Date.now());
    await using opened = await openWork(config);
    const isWorking = args.has("worker") || (config.redisUrl ?? config.sqsQueueUrl) === undefined;
    await serve(opened, {
      ...{ host: config.host, port: config.port, requestsPerMinute: config.requestsPerMinute },
      eventsUrl: config.eventsUrl,
      signal: io.signal,
      schedule: { schedule, emit: scheduleTeller(io, args.has("json")) },
      ...tellers(args, io),
      ...(isWorking && { worker: workerOf(args, io) }),
    });
    return 0;
  },
};

function workerOf(args: Args, io: Io): NonNullable<ServeOptions["worker"]> {
  const graceMs = GRACE_SECONDS * 1000;
  return { concurrency: CONCURRENCY, graceMs, emit: workerTeller(io, args.has("json")) };
}

function tellers(args: Args, io: Io): Pick<ServeOptions, "onListening" | "onAnswer"> {
  const isJson = args.has("json");
  const isVerbose = args.has("verbose");
  return {
    onListening(url) {
      io.out.write(isJson ? `${JSON.stringify({ event: "listening", url })}\n` : `${url}\n`);
    },
    onAnswer({ error, ...answered }) {
      const record = error === undefined ? undefined : errorRecord(error, { isVerbose });
      if (isJson) {
        io.out.write(`${JSON.stringify({ event: "request", ...answered, error: record })}\n`);
      } else if (!isProbe(answered)) {
        io.err.write(`${lineOf(answered)}\n${record ? errorText(record, io.err) : ""}`);
      }
    },
  };
}

/** What asks every few seconds, and gets what it expects. */
function isProbe({ route, status }: Pick<Answered, "route" | "status">): boolean {
  return status === 200 && /^\/(health\/|metrics)/.test(route);
}

function lineOf({ id, method, route, status, seconds, by }: Omit<Answered, "error">): string {
  const what = `${status} ${plain(method)} ${route || "(no such route)"}`;
  return `${what}  ${duration(seconds)}  ${by ?? "nobody"}  ${id}`;
}
