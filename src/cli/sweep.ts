import { COMMON, type Command } from "./command.ts";
import { count } from "./format.ts";
import { lookBack } from "./look-back.ts";

/** `nightbake sweep` */
export const sweepCommand: Command = {
  name: "sweep",
  summary: "Forgets releases older than they are kept.",
  details:
    "What pages were before a release is kept for NIGHTBAKE_KEEP_DAYS, and of NIGHTBAKE_KEEP_RELEASES at least.\n" +
    "Builds that publish forget some of what is older at their end; this forgets all of it. Versions in a bucket\n" +
    "are not touched: give it a lifecycle rule for noncurrent versions.",
  positionals: [],
  options: COMMON,
  examples: [{ line: "sweep", says: "after the settings were lowered" }],
  run(args, io) {
    return lookBack(args, io, async (wired) => {
      const { sweep } = await import("../pipeline.ts");
      const pages = await sweep(wired, { now: Date.now() * 1000, signal: io.signal });
      if (args.has("json")) io.out.write(`${JSON.stringify({ event: "swept", pages })}\n`);
      else io.out.write(`${count(pages)} former versions of pages forgotten.\n`);
      return 0;
    });
  },
};
