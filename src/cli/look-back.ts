import { PipelineError } from "../error.ts";
import type { Wired } from "../pipeline.ts";
import type { Args } from "./args.ts";
import { configOf, type ExitCode, type Io } from "./command.ts";

/**
 * Opens what tells of releases, gives it to `work`, and closes it again. Neither the database nor the
 * templates are touched.
 */
export async function lookBack(
  args: Args,
  io: Io,
  work: (wired: Wired) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = configOf(args, io);
  // Imported late: the adapters take longer to load than `--help` to print.
  const { openRestore } = await import("../wiring.ts");
  await using wired = await openRestore(config);
  io.signal.throwIfAborted();
  return await work(wired);
}

/** @throws PipelineError `config_invalid` when the text is no number of a release */
export function releaseOf(text = ""): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new PipelineError("config_invalid", `${text} is no number of a release.`, {
    hint: "`nightbake releases` lists them.",
  });
}
