import { COMMON, type Command, configOf } from "./command.ts";
import { table } from "./format.ts";
import { maskedConfig } from "./shown-config.ts";

/** `nightbake config` */
export const configCommand: Command = {
  name: "config",
  summary: "Shows the settings in effect and where each comes from; secrets are masked.",
  positionals: [],
  options: COMMON,
  examples: [
    { line: "config", says: "every setting, its value and its origin" },
    { line: "config --json", says: "the same for programs" },
  ],
  async run(args, io) {
    const shown = maskedConfig(configOf(args, io));
    if (args.has("json")) {
      for (const each of shown) io.out.write(`${JSON.stringify({ event: "setting", ...each })}\n`);
      return 0;
    }
    const rows = shown.map(({ name, value, from }) => [name, value || "(not set)", from]);
    io.out.write(table([["Setting", "Value", "From"], ...rows]));
    return 0;
  },
};
