import type { PlanContext } from "../plan/context.ts";
import type { Args } from "./args.ts";
import { configOf, type ExitCode, type Io } from "./command.ts";
import { checkSource } from "./run-build.ts";

/** Opens what a build would see, gives it to `work`, and closes it again. Publishes nothing. */
export async function look(
  args: Args,
  io: Io,
  work: (context: PlanContext) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = configOf(args, io);
  checkSource(config);
  // Imported late: the adapters take longer to load than `--help` to print.
  const [{ openBuild }, { openLook }] = await Promise.all([
    import("../wiring.ts"),
    import("../explain.ts"),
  ]);
  await using wired = await openBuild(config);
  await using opened = await openLook(wired);
  return await work(opened.context);
}
