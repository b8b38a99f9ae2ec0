import { existsSync } from "node:fs";
import type { Config } from "../config.ts";
import { PipelineError } from "../error.ts";
import { didYouMean } from "../nearest.ts";
import type { PlanFile } from "../pipeline/plan-file.ts";
import { type ChangeFiles, changesIn, openChangeFiles } from "./change-files.ts";
import type { ExitCode, Io } from "./command.ts";
import { exitCodeOf, printErrors } from "./errors.ts";
import { progressView, type View } from "./progress.ts";
import { leftover } from "./run-state.ts";

/** What may be asked of a build on the command line. */
export interface BuildAsked {
  /** Does this plan and nothing else. */
  readonly plan?: PlanFile;
  readonly isDryRun: boolean;
  readonly only: string | undefined;
  /** Of a rebuild; undefined for a build. */
  readonly targets: readonly string[] | undefined;
  /** Position of the database that is read at or after. */
  readonly at?: string | undefined;
  readonly isVerify: boolean;
  /** Compares every row, whatever the log tells. */
  readonly isScan?: boolean;
  readonly allowDeletes: boolean;
  readonly isJson: boolean;
  readonly isVerbose: boolean;
}

/** Runs one build and shows it; prints its errors, since the exit code depends on how far it came. */
export async function runBuild(config: Config, io: Io, asked: BuildAsked): Promise<ExitCode> {
  const view = progressView({ ...io, isJson: asked.isJson, isVerbose: asked.isVerbose });
  try {
    return await built(config, io, asked, view);
  } catch (error) {
    view.end();
    return failed(error, view, io, asked);
  }
}

async function built(config: Config, io: Io, asked: BuildAsked, view: View): Promise<ExitCode> {
  checkSource(config);
  // Imported late: the adapters take longer to load than `--help` to print.
  const [{ openBuild }, { build }, { tablesOf }] = await Promise.all([
    import("../wiring.ts"),
    import("../pipeline.ts"),
    import("../site.ts"),
  ]);
  const { isDryRun, only, targets, isVerify, isScan = false, allowDeletes, plan } = asked;
  const { names, files } = split(targets ?? []);
  await using records = await openChangeFiles(files);
  const at = await positionsOf(asked, records);
  await using wired = await openBuild(config);
  const kinds = wired.site.kinds.map((each) => each.name);
  if (only !== undefined) checkKind(only, kinds);
  io.signal.throwIfAborted();
  const summary = await build(wired, {
    plan,
    only,
    targets: targets && names,
    changes: files.length === 0 ? undefined : changesIn(records, tablesOf(wired.site.kinds)),
    at,
    isVerify,
    isScan,
    allowDeletes,
    // An embedded source is nobody's to change meanwhile.
    closes: config.databaseUrl !== undefined,
    isDryRun,
    signal: io.signal,
    emit: view.emit,
  });
  return summary.failed > 0 ? 1 : 0;
}

/** Targets that are files of change records, and those that are names. */
function split(targets: readonly string[]): {
  readonly names: readonly string[];
  readonly files: readonly string[];
} {
  const isFile = (text: string) => text === "-" || /\.ndjson(\.gz)?$/.test(text);
  return { names: targets.filter((each) => !isFile(each)), files: targets.filter(isFile) };
}

/** @throws PipelineError `input_invalid` for what is no position */
async function positionsOf({ at }: BuildAsked, { positions }: ChangeFiles) {
  const { parsePosition } = await import("../source/flavour.ts");
  return [...(at === undefined ? [] : [at]), ...positions].map(parsePosition);
}

/** @throws PipelineError `config_invalid` when the site has no such kind, naming the nearest */
export function checkKind(only: string, kinds: readonly string[]): void {
  if (kinds.includes(only)) return;
  const message = `The site has no pages of kind ${only}.${didYouMean(only, kinds)}`;
  throw new PipelineError("config_invalid", message, {
    hint: `Its kinds are ${kinds.join(", ")}.`,
  });
}

/** @throws PipelineError `source_rejected` when the embedded source was never filled */
export function checkSource({ databaseUrl, sourceFile }: Config): void {
  if (databaseUrl !== undefined || existsSync(sourceFile)) return;
  throw new PipelineError(
    "source_rejected",
    "There are no rows yet: the embedded source is empty.",
    {
      hint: "Run `npm run bake` for the sample site or `nightbake load DIR`, or set DATABASE_URL.",
      at: { file: sourceFile },
    },
  );
}

/** Prints why a run ended early and what that leaves; gives the exit code. */
export function failed(
  error: unknown,
  view: View,
  io: Io,
  asked: Pick<BuildAsked, "isJson" | "isVerbose" | "isDryRun">,
): ExitCode {
  const { isJson, isVerbose } = asked;
  printErrors(error, io, { isJson, isVerbose });
  const hasPublished = view.state().hasPublished && !asked.isDryRun;
  const code = exitCodeOf(error, { hasPublished });
  if (code !== 3) return code;
  const message = `${leftover(view.state())} The next build completes it.`;
  if (isJson) io.out.write(`${JSON.stringify({ event: "stopped", message })}\n`);
  else io.err.write(`${message}\n`);
  return code;
}
