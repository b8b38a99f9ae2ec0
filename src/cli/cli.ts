import { PipelineError } from "../error.ts";
import { nearest } from "../nearest.ts";
import { affectsCommand } from "./affects.ts";
import { applyCommand } from "./apply.ts";
import { readArgs } from "./args.ts";
import { bakeCommand } from "./bake.ts";
import { buildCommand } from "./build.ts";
import { codeCommand } from "./code.ts";
import type { Command, ExitCode, Io } from "./command.ts";
import { configCommand } from "./config.ts";
import { diffCommand } from "./diff.ts";
import { doctorCommand } from "./doctor.ts";
import { dueCommand } from "./due.ts";
import { exitCodeOf, printErrors } from "./errors.ts";
import { followCommand } from "./follow.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { initCommand } from "./init.ts";
import { invalidationsCommand } from "./invalidations.ts";
import { loadCommand } from "./load.ts";
import { planCommand } from "./plan.ts";
import { previewCommand } from "./preview.ts";
import { quarantineCommand } from "./quarantine.ts";
import { queueCommand } from "./queue.ts";
import { rebuildCommand } from "./rebuild.ts";
import { redirectsCommand } from "./redirects.ts";
import { releasesCommand } from "./releases.ts";
import { resumeCommand } from "./resume.ts";
import { rollbackCommand } from "./rollback.ts";
import { scheduleCommand } from "./schedule.ts";
import { schemaCommand } from "./schema.ts";
import { serveCommand } from "./serve.ts";
import { sweepCommand } from "./sweep.ts";
import { takedownCommand } from "./takedown.ts";
import { tokensCommand } from "./tokens.ts";
import { verifyCommand } from "./verify.ts";
import { version } from "./version.ts";
import { whyCommand } from "./why.ts";
import { workerCommand } from "./worker.ts";

/** In the order of the help. */
const COMMANDS: readonly Command[] = [
  bakeCommand,
  previewCommand,
  buildCommand,
  rebuildCommand,
  followCommand,
  serveCommand,
  workerCommand,
  queueCommand,
  codeCommand,
  scheduleCommand,
  planCommand,
  applyCommand,
  whyCommand,
  affectsCommand,
  dueCommand,
  initCommand,
  loadCommand,
  schemaCommand,
  invalidationsCommand,
  redirectsCommand,
  quarantineCommand,
  takedownCommand,
  verifyCommand,
  releasesCommand,
  diffCommand,
  rollbackCommand,
  resumeCommand,
  sweepCommand,
  tokensCommand,
  doctorCommand,
  configCommand,
];

/** Runs one command line (what stands after `nightbake`). Prints every error; never throws. */
export async function runCli(argv: readonly string[], io: Io): Promise<ExitCode> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    const words = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : argv.length);
    const [isJson, isVerbose] = [words.includes("--json"), words.includes("--verbose")];
    printErrors(error, io, { isJson, isVerbose });
    return exitCodeOf(error, { hasPublished: false });
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<ExitCode> {
  const [first = "--help", ...rest] = argv;
  if (first === "--version" || first === "-v") return print(io, `${version()}\n`);
  if (first === "--help" || first === "-h") return print(io, generalHelp(COMMANDS));
  if (first === "help") return help(rest, io);
  const command = find(first);
  const args = readArgs(command, rest);
  if (args.has("help")) return print(io, commandHelp(command));
  return command.run(args, io);
}

function help([name]: readonly string[], io: Io): ExitCode {
  return print(io, name === undefined ? generalHelp(COMMANDS) : commandHelp(find(name)));
}

function print(io: Io, text: string): ExitCode {
  io.out.write(text);
  return 0;
}

function find(name: string): Command {
  const found = COMMANDS.find((each) => each.name === name);
  if (found) return found;
  const names = ["help", ...COMMANDS.map((each) => each.name)];
  const isOption = name.startsWith("-");
  const meant = nearest(name, isOption ? ["--help", "--version"] : names);
  const what = isOption ? "option before a command" : "command";
  const hint = meant ? `Did you mean ${meant}?` : `There are ${names.join(", ")}.`;
  throw new PipelineError("config_invalid", `There is no ${what} called ${name}.`, { hint });
}
