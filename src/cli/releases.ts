import { PipelineError } from "../error.ts";
import type { ReleaseLine } from "../pipeline.ts";
import { COMMON, type Command } from "./command.ts";
import { count, instant, table } from "./format.ts";
import { lookBack } from "./look-back.ts";

const LIMIT = 20;

/** `nightbake releases` */
export const releasesCommand: Command = {
  name: "releases",
  summary: "Lists what releases did, and which of them a rollback can bring back.",
  details:
    "A release can be restored while all that was replaced since is there: as versions, in a bucket that keeps\n" +
    "them, else as copies in .nightbake/kept.db (NIGHTBAKE_KEEP_MB). Which versions a bucket still has is not\n" +
    "looked at here; `nightbake rollback RELEASE --dry-run` does.",
  positionals: [],
  options: {
    limit: { value: "N", says: `Releases to show at most (default ${LIMIT}).` },
    ...COMMON,
  },
  examples: [
    { line: "releases", says: "the last ones" },
    { line: "releases --limit 1 --json", says: "the last one, for a program" },
  ],
  run(args, io) {
    const limit = countOf(args.value("limit"));
    return lookBack(args, io, async (wired) => {
      const { releasesOf } = await import("../pipeline.ts");
      const releases = await releasesOf(wired, limit);
      if (args.has("json")) for (const each of releases) io.out.write(lineOf(each));
      else io.out.write(textOf(releases));
      return 0;
    });
  },
};

function lineOf({ startedAt, finishedAt, ...rest }: ReleaseLine): string {
  const moments = {
    startedAt: instant(startedAt),
    finishedAt: finishedAt === undefined ? undefined : instant(finishedAt),
  };
  return `${JSON.stringify({ event: "release", ...rest, ...moments })}\n`;
}

function textOf(releases: readonly ReleaseLine[]): string {
  if (releases.length === 0) return "There is no release yet.\n";
  const head = ["Release", "When", "Run", "Created", "Changed", "Deleted", "Restorable"];
  const rows = releases.map((each) => [
    String(each.release),
    instant(each.startedAt),
    each.rollback === undefined ? each.run : `${each.run} to ${each.rollback}`,
    ...[each.created, each.changed, each.deleted].map(count),
    `${each.isRestorable ? "yes" : `no: ${each.why}`}${each.isHeld ? " (held)" : ""}`,
  ]);
  return table([head, ...rows], { right: [0, 3, 4, 5] });
}

function countOf(text = String(LIMIT)): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new PipelineError("config_invalid", `--limit ${text} is no number of releases.`, {
    hint: "Write a whole number from 1 on.",
  });
}
