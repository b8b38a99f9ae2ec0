import { PipelineError } from "../error.ts";
import { COMMON, type Command, configOf } from "./command.ts";
import { rebuildRemotely } from "./rebuild-remote.ts";
import { runBuild } from "./run-build.ts";

/** `nightbake rebuild TARGET …` */
export const rebuildCommand: Command = {
  name: "rebuild",
  summary: "Looks at the rows, lists or pages named and publishes what their changes touch.",
  details:
    "A target is KIND:KEY or TABLE:KEY (article:42, users:ann, article_tags:scaling,42), a list's\n" +
    "partition (tag:scaling), a route (/articles/x/), or a file of change records (changes.ndjson, or - for\n" +
    'the standard input) with lines like {"table":"articles","key":42}. What changed there since the last\n' +
    "build leads to every page that read it; the cost depends on those, not on the size of the site.\n" +
    "Scheduled rows that are due are published, too.\n" +
    "Rows are read on a replica that has all that the primary has committed by now, else on the primary.\n" +
    "A position, of --at or in change records, is checked: if the primary never had it nothing is built.\n" +
    "With --remote a server (`nightbake serve`) is asked for it, with the token of NIGHTBAKE_TOKEN; the command\n" +
    "ends when all of it is live. Ctrl-C ends the command alone: others may have asked for the same job.",
  positionals: ["TARGET…"],
  options: {
    at: {
      value: "POSITION",
      says: "Where the change was committed: mariadb: and @@last_gtid, or mysql: and a GTID set.",
    },
    "dry-run": { says: "Prints the plan with a reason for each step; changes nothing." },
    "allow-deletes": { says: "Deletes more of the site than NIGHTBAKE_DELETE_SHARE." },
    remote: { value: "URL", says: "The server to ask; nothing is built on this machine." },
    lane: {
      value: "LANE",
      says: "With --remote: takedown, editor, live or nightly (default editor).",
    },
    ...COMMON,
  },
  examples: [
    { line: "rebuild article:42", says: "an article was edited" },
    {
      line: "rebuild users:ann tag:scaling",
      says: "an author was renamed, a tag's list looks wrong",
    },
    { line: "rebuild article:42 --at mariadb:0-1-8", says: "an editor's own commit, surely" },
    { line: "rebuild changes.ndjson", says: "what a change feed or an import wrote down" },
    { line: "rebuild article:42 --remote https://bake.example.com", says: "on another machine" },
    { line: "rebuild /articles/x/ --dry-run", says: "what a page would need, and why" },
  ],
  async run(args, io) {
    if (args.has("remote")) return await rebuildRemotely(args, io);
    if (args.has("lane"))
      throw new PipelineError("config_invalid", "Only servers have lanes.", {
        hint: "Name one with --remote, or leave --lane out.",
      });
    return await runBuild(configOf(args, io), io, {
      isDryRun: args.has("dry-run"),
      only: undefined,
      targets: args.positionals,
      at: args.value("at"),
      isVerify: false,
      allowDeletes: args.has("allow-deletes"),
      isJson: args.has("json"),
      isVerbose: args.has("verbose"),
    });
  },
};
