import { COMMON, type Command, configOf } from "./command.ts";
import { runBuild } from "./run-build.ts";

/** `nightbake apply FILE` */
export const applyCommand: Command = {
  name: "apply",
  summary: "Does exactly what a plan says, or refuses and says which pages have moved on.",
  details:
    "Every page of the plan is checked first: what it reads, what is live of it, its route and action. What\n" +
    "else has changed since is left to the next build, which then looks at every page.",
  positionals: ["FILE"],
  options: {
    "allow-deletes": { says: "Deletes more of the site than NIGHTBAKE_DELETE_SHARE." },
    ...COMMON,
  },
  examples: [{ line: "apply review.ndjson", says: "what `plan --out review.ndjson` wrote" }],
  async run(args, io) {
    const [file = ""] = args.positionals;
    const config = configOf(args, io);
    const { openPlan } = await import("../pipeline/plan-file.ts");
    const plan = await openPlan(file);
    return await runBuild(config, io, {
      plan,
      isDryRun: false,
      only: plan.header.only ?? undefined,
      targets: plan.header.targets ?? undefined,
      isVerify: false,
      allowDeletes: args.has("allow-deletes"),
      isJson: args.has("json"),
      isVerbose: args.has("verbose"),
    });
  },
};
