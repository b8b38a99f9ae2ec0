import type { Wired } from "../pipeline.ts";
import type { Args } from "./args.ts";
import { configOf, type ExitCode, type Io } from "./command.ts";
import { checkSource } from "./run-build.ts";

/** Opens what a build would work on, gives it to `work`, and closes it again. */
export async function look(
  args: Args,
  io: Io,
  work: (wired: Wired) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = configOf(args, io);
  checkSource(config);
  // Imported late: the adapters take longer to load than `--help` to print.
  const { openBuild } = await import("../wiring.ts");
  await using wired = await openBuild(config);
  io.signal.throwIfAborted();
  return await work(wired);
}
