import type { Config } from "../config.ts";
import type { Bar, KnownBar } from "../ledger/ledger.ts";
import type { Args } from "./args.ts";
import type { ExitCode, Io } from "./command.ts";
import { printErrors } from "./errors.ts";
import { progressView } from "./progress.ts";
import { checkSource } from "./run-build.ts";
import { pageText } from "./takedown-text.ts";

/** What a takedown was asked on the command line. */
export interface Asked {
  readonly args: Args;
  readonly io: Io;
  readonly config: Config;
  readonly routes: readonly string[];
}

/** Writes a line of JSON, or as people read it. */
type Tell = (event: object, text: string) => void;

const LEFT = "The pages are done; what links to them is left to the next build.";
const BEGUN = "The ledger has it, and the next run goes on; until then readers may see the pages.";

/**
 * Does what cannot wait, then rebuilds what follows from it. From here on nothing is undone: whatever
 * fails, the next run goes on.
 */
export async function follow(
  { args, io, config }: Asked,
  first: (tell: Tell) => Promise<void>,
): Promise<ExitCode> {
  const [isJson, isVerbose] = [args.has("json"), args.has("verbose")];
  const view = progressView({ ...io, isJson, isVerbose });
  const tell: Tell = (event, text) => io.out.write(isJson ? `${JSON.stringify(event)}\n` : text);
  let isDone = false;
  try {
    await first(tell);
    isDone = true;
    checkSource(config);
    const [{ openBuild }, { rebuildAround }] = await Promise.all([
      import("../wiring.ts"),
      import("../pipeline.ts"),
    ]);
    await using wired = await openBuild(config);
    const { failed } = await rebuildAround(wired, { signal: io.signal, emit: view.emit });
    return failed > 0 ? 1 : 0;
  } catch (error) {
    view.end();
    printErrors(error, io, { isJson, isVerbose });
    const message = isDone ? LEFT : BEGUN;
    if (isJson) tell({ event: "stopped", message }, "");
    else io.err.write(`${message}\n`);
    return 3;
  }
}

/** Says what would be rebuilt if these bars were there, or lifted; changes nothing. */
export async function foresee(
  { args, io, config }: Asked,
  { bars, will }: { readonly bars: readonly (Bar & Partial<KnownBar>)[]; readonly will: string },
): Promise<ExitCode> {
  const [isJson, isVerbose] = [args.has("json"), args.has("verbose")];
  const view = progressView({ ...io, isJson, isVerbose });
  for (const bar of bars) if (!isJson) io.out.write(pageText(bar, `would ${will}`));
  checkSource(config);
  const [{ openBuild }, { build }] = await Promise.all([
    import("../wiring.ts"),
    import("../pipeline.ts"),
  ]);
  await using wired = await openBuild(config);
  const { signal } = io;
  const options = { signal, emit: view.emit, targets: [], isDryRun: true, allowDeletes: false };
  const { failed } = await build(wired, { ...options, imagined: bars });
  return failed > 0 ? 1 : 0;
}
