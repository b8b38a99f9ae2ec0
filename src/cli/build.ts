import { COMMON, type Command, configOf } from "./command.ts";
import { runBuild } from "./run-build.ts";

/** `nightbake build` */
export const buildCommand: Command = {
  name: "build",
  summary: "Renders what is stale, publishes what changed and invalidates exactly that.",
  positionals: [],
  options: {
    "dry-run": { says: "Prints the plan with a reason for each step; changes nothing." },
    only: { value: "KIND", says: "Considers one kind of pages, e.g. article." },
    verify: { says: "Re-checks every page's trace instead of following the rows that changed." },
    scan: { says: "Compares every row even where CHANGE_FEED=binlog tells of no change." },
    "allow-deletes": { says: "Deletes more of the site than NIGHTBAKE_DELETE_SHARE." },
    ...COMMON,
  },
  examples: [
    { line: "build", says: "the whole site; publishes only what changed" },
    { line: "build --dry-run", says: "what would be done, and why" },
    { line: "build --only article --out preview", says: "one kind, into another folder" },
    { line: "build --json | jq .event", says: "events for a program" },
  ],
  run(args, io) {
    return runBuild(configOf(args, io), io, {
      isDryRun: args.has("dry-run"),
      only: args.value("only"),
      targets: undefined,
      isVerify: args.has("verify"),
      isScan: args.has("scan"),
      allowDeletes: args.has("allow-deletes"),
      isJson: args.has("json"),
      isVerbose: args.has("verbose"),
    });
  },
};
