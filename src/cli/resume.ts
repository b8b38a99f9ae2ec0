import { COMMON, type Command } from "./command.ts";
import { instant } from "./format.ts";
import { lookBack } from "./look-back.ts";

/** `nightbake resume` */
export const resumeCommand: Command = {
  name: "resume",
  summary:
    "Ends the hold after a rollback, so that the next build makes the site what the rows say.",
  positionals: [],
  options: COMMON,
  examples: [{ line: "resume", says: "when what was wrong is mended; then build" }],
  run(args, io) {
    return lookBack(args, io, async (wired) => {
      const { resume } = await import("../pipeline.ts");
      const held = await resume(wired);
      const since = held && instant(held.since);
      const value = { event: "resumed", release: held?.release, since };
      const text =
        held === undefined
          ? "Publishing was not held."
          : `Publishing goes on; it was held at release ${held.release} since ${since}. The next build looks at every page.`;
      io.out.write(args.has("json") ? `${JSON.stringify(value)}\n` : `${text}\n`);
      return 0;
    });
  },
};
