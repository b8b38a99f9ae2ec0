import type { PageDiff } from "../pipeline.ts";
import { COMMON, type Command } from "./command.ts";
import { bytes, counted } from "./format.ts";
import { lookBack, releaseOf } from "./look-back.ts";
import { plain } from "./terminal.ts";

/** `nightbake diff A B` */
export const diffCommand: Command = {
  name: "diff",
  summary: "Says which pages differ between two releases, and why.",
  positionals: ["A", "B"],
  options: COMMON,
  examples: [
    { line: "diff 41 42", says: "what release 42 did to the site of release 41" },
    { line: "diff 40 42 --json", says: "over several releases, for a program" },
  ],
  run(args, io) {
    const [a, b] = args.positionals.map(releaseOf);
    return lookBack(args, io, async (wired) => {
      const { diffReleases } = await import("../pipeline.ts");
      const counts = { create: 0, change: 0, delete: 0 };
      for await (const diff of diffReleases(wired, [a ?? 0, b ?? 0])) {
        counts[diff.did] += 1;
        const value = { event: "diff", ...diff };
        io.out.write(args.has("json") ? `${JSON.stringify(value)}\n` : textOf(diff));
      }
      const { create, change, delete: gone } = counts;
      const sum = `${counted(create, "page")} created, ${change} changed, ${gone} deleted.\n`;
      if (!args.has("json")) io.out.write(sum);
      return 0;
    });
  },
};

const SIGNS = { create: "+", change: "~", delete: "-" } as const;

/** `~ post 42 /posts/a/ (was /posts/b/) 1.2 kB → 1.3 kB, row:posts/42` */
function textOf({
  did,
  kind,
  key,
  route,
  from,
  reason,
  bytesBefore,
  bytesAfter,
}: PageDiff): string {
  const was = from === undefined ? "" : ` (was ${from})`;
  const sizes = [bytesBefore, bytesAfter].flatMap((size) =>
    size === undefined ? [] : bytes(size),
  );
  const why = reason === undefined ? "" : `, ${reason}`;
  return `${SIGNS[did]} ${plain(`${kind} ${key} ${route}${was} ${sizes.join(" → ")}${why}`)}\n`;
}
