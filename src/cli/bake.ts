import { existsSync } from "node:fs";
import type { Config } from "../config.ts";
import { PipelineError } from "../error.ts";
import type { Args } from "./args.ts";
import { dataDir, inputDigest, markBaked, markLoading, sourceState } from "./baked.ts";
import { COMMON, type Command, configOf, type Io } from "./command.ts";
import { loadRows } from "./load.ts";
import { runBuild } from "./run-build.ts";

/** `nightbake bake` */
export const bakeCommand: Command = {
  name: "bake",
  summary: "Fills the embedded source from content/data and builds the site.",
  details:
    "Rows that you loaded yourself are never replaced, and with DATABASE_URL bake only builds.",
  positionals: [],
  options: COMMON,
  examples: [
    { line: "bake", says: "the sample site, from nothing" },
    { line: "bake --out public", says: "into another folder" },
  ],
  async run(args, io) {
    const config = configOf(args, io);
    if (config.databaseUrl === undefined) await fill(config, args, io);
    const code = await runBuild(config, io, {
      isDryRun: false,
      only: undefined,
      targets: undefined,
      isVerify: false,
      allowDeletes: false,
      isJson: args.has("json"),
      isVerbose: args.has("verbose"),
    });
    if (code <= 1 && !args.has("json")) sayNext(config, args, io);
    return code;
  },
};

async function fill(config: Config, args: Args, io: Io): Promise<void> {
  const dir = dataDir(config);
  if (!existsSync(dir)) return checkRows(config, dir);
  const input = await inputDigest(config);
  const state = sourceState(config, input);
  if (state === "fresh") return;
  if (state === "foreign") return note(io, args, FOREIGN);
  markLoading(config);
  await loadRows(config, dir, io, { isJson: args.has("json"), isQuiet: true });
  markBaked(config, input);
}

const FOREIGN =
  "The embedded source holds rows that you loaded; content/data was not loaded over them.";

function checkRows({ sourceFile }: Config, dir: string): void {
  if (existsSync(sourceFile)) return;
  throw new PipelineError("input_invalid", "There are no rows to bake.", {
    hint: "Put NDJSON files there, or run `nightbake load DIR`, or set DATABASE_URL.",
    at: { folder: dir },
  });
}

function note(io: Io, args: Args, message: string): void {
  if (args.has("json")) io.out.write(`${JSON.stringify({ event: "note", message })}\n`);
  else io.err.write(`${message}\n`);
}

function sayNext({ s3Bucket }: Config, args: Args, io: Io): void {
  if (s3Bucket !== undefined) return;
  const out = args.value("out");
  io.err.write(`See it with \`npm run preview${out === undefined ? "" : ` -- --out ${out}`}\`.\n`);
}
