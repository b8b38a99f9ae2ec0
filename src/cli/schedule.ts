import { setTimeout as sleep } from "node:timers/promises";
import type { ScheduledEntry, Scheduling } from "../jobs/schedule.ts";
import type { Args } from "./args.ts";
import { COMMON, type Command, configOf, type ExitCode, type Io } from "./command.ts";
import { exitCodeOf, printErrors } from "./errors.ts";
import { instant, table } from "./format.ts";
import { progressView } from "./progress.ts";

/** `nightbake schedule` */
export const scheduleCommand: Command = {
  name: "schedule",
  summary: "Asks for jobs when their time has come, until Ctrl-C or SIGTERM; workers do them.",
  details:
    "SCHEDULE_BUILD, SCHEDULE_VERIFY and SCHEDULE_SWEEP say when, in SCHEDULE_TIME_ZONE; rows that the clock\n" +
    "shows or hides have a job at their moment. Any number of clones may run this on one ledger: each tick is\n" +
    "asked for once. Of ticks that were missed while none ran the latest is made up for; one whose predecessor is\n" +
    "still at work adds nothing. A time that the clock skips or shows twice in a year comes once. Day and weekday\n" +
    "must both fit, unlike crontab's. `nightbake serve` does the same beside its other work.",
  positionals: [],
  options: {
    list: {
      says: "Shows what is scheduled, when it comes next and what came of it; asks for nothing.",
    },
    ...COMMON,
  },
  examples: [
    { line: "schedule", says: "beside the workers, on as many machines as you like" },
    { line: "schedule --list", says: "what comes next" },
  ],
  async run(args, io) {
    const { openSchedule } = await import("../wiring-schedule.ts");
    await using opened = await openSchedule(configOf(args, io));
    return args.has("list") ? await list(opened, args, io) : await goOn(opened, args, io);
  },
};

async function goOn(on: Scheduling, args: Args, io: Io): Promise<ExitCode> {
  const [isVerbose, isJson] = [args.has("verbose"), args.has("json")];
  const view = progressView({ ...io, isJson, isVerbose });
  const { runSchedule } = await import("../jobs/schedule.ts");
  try {
    await runSchedule(on, {
      signal: io.signal,
      emit: view.emit,
      sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
    });
    return 0;
  } catch (error) {
    view.end();
    printErrors(error, io, { isJson, isVerbose });
    return exitCodeOf(error, { hasPublished: false });
  }
}

async function list(on: Scheduling, args: Args, io: Io): Promise<ExitCode> {
  const { scheduled } = await import("../jobs/schedule.ts");
  const entries = await scheduled(on, Date.now());
  if (args.has("json")) for (const each of entries) io.out.write(lineOf(each));
  else io.out.write(textOf(entries));
  return 0;
}

function lineOf({ next, last, ...entry }: ScheduledEntry): string {
  const ticks = last.map(({ at, ...rest }) => ({ at: instant(at), ...rest }));
  return `${JSON.stringify({ event: "entry", ...entry, next: next.map(instant), last: ticks })}\n`;
}

function textOf(entries: readonly ScheduledEntry[]): string {
  if (entries.length === 0) return "Nothing is scheduled.\n";
  const head = ["Entry", "When", "Next", "Last"];
  const rows = entries.flatMap(
    ({ name, expression = "as rows are due", zone = "", next, last }) => {
      const came = last.map(
        ({ at, job, state = "forgotten" }) => `${instant(at)} job ${job}: ${state}`,
      );
      const lines = Math.max(1, next.length, came.length);
      return Array.from({ length: lines }, (_, line) => [
        line === 0 ? name : "",
        line === 0 ? `${expression} ${zone}` : "",
        instantOr(next[line]),
        came[line] ?? "",
      ]);
    },
  );
  return table([head, ...rows]);
}

function instantOr(at: number | undefined): string {
  return at === undefined ? "" : instant(at);
}
