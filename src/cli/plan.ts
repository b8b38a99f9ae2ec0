import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { coverText } from "../invalidate/cover-text.ts";
import type { PlanSummary } from "../pipeline/plan-only.ts";
import { COMMON, type Command, type Io } from "./command.ts";
import { bytes, count, counted, table } from "./format.ts";
import { priceText } from "./price-text.ts";
import { progressView } from "./progress.ts";
import { checkKind, checkSource } from "./run-build.ts";

/** `nightbake plan` */
export const planCommand: Command = {
  name: "plan",
  summary: "Says what a build would create, update, delete and leave, why, and what it would cost.",
  details:
    "Makes the pages and compares them with what is live; puts nothing. With targets it plans what a\n" +
    "rebuild of them would do. The file of --out holds a line for each page and is what `apply` does.\n" +
    "What is in sitemaps follows from the other pages and is not foreseen.",
  positionals: ["[TARGET…]"],
  options: {
    ...COMMON,
    out: {
      value: "FILE",
      says: "Writes the plan there, to be applied (OUT_DIR is the output folder).",
    },
    only: { value: "KIND", says: "Considers one kind of pages, e.g. article." },
    "allow-deletes": { says: "Plans to delete more of the site than NIGHTBAKE_DELETE_SHARE." },
  },
  examples: [
    { line: "plan", says: "the whole site" },
    { line: "plan --out review.ndjson", says: "to look at, and to apply later" },
    { line: "plan article:42", says: "what a rebuild of one row would do" },
  ],
  async run(args, io) {
    const config = io.config({ config: args.value("config") });
    checkSource(config);
    const isJson = args.has("json");
    const view = progressView({ ...io, isJson, isVerbose: args.has("verbose") });
    await using place = await placeFor(args.value("out"));
    const [{ openBuild }, { planOnly }] = await Promise.all([
      import("../wiring.ts"),
      import("../pipeline/plan-only.ts"),
    ]);
    try {
      await using wired = await openBuild(config);
      const only = args.value("only");
      if (only !== undefined)
        checkKind(
          only,
          wired.site.kinds.map(({ name }) => name),
        );
      const targets = args.positionals.length === 0 ? undefined : args.positionals;
      const { signal } = io;
      const run = {
        only,
        targets,
        allowDeletes: args.has("allow-deletes"),
        signal,
        emit: view.emit,
      };
      const summary = await planOnly(wired, run, place.file);
      view.end();
      if (isJson) await tellJson(io, summary, place);
      else io.out.write(planText(summary, args.value("out")));
      return summary.failed > 0 ? 1 : 0;
    } finally {
      view.end();
    }
  },
};

interface Place extends AsyncDisposable {
  readonly file: string;
  readonly isKept: boolean;
}

/** Where the plan goes; without a file asked for, one that goes again. */
async function placeFor(file: string | undefined): Promise<Place> {
  if (file !== undefined) return { file, isKept: true, [Symbol.asyncDispose]: async () => {} };
  const dir = await mkdtemp(join(tmpdir(), "nightbake-plan-"));
  const remove = () => rm(dir, { recursive: true });
  return { file: join(dir, "plan.ndjson"), isKept: false, [Symbol.asyncDispose]: remove };
}

/** The plan's own lines, unless they stand in a file, and what they come to. */
async function tellJson(io: Io, summary: PlanSummary, { file, isKept }: Place): Promise<void> {
  if (!isKept) {
    const { openPlan } = await import("../pipeline/plan-file.ts");
    const plan = await openPlan(file);
    for await (const steps of plan.batches(() => true)) {
      for (const step of steps) io.out.write(`${JSON.stringify({ event: "step", step })}\n`);
    }
  }
  io.out.write(`${JSON.stringify({ event: "plan", ...summary })}\n`);
}

function planText(
  { groups, price, deletes, failed, cover }: PlanSummary,
  out: string | undefined,
): string {
  if (groups.length === 0) return "Nothing to do.\n";
  const rows = groups.map((group) => [
    group.kind,
    group.action,
    group.cause,
    count(group.pages),
    group.bytes > 0 ? bytes(group.bytes) : "",
  ]);
  const shown = table([["Kind", "Action", "Cause", "Pages", "Bytes"], ...rows], { right: [3, 4] });
  const broken = failed > 0 ? ` ${counted(failed, "page")} cannot be made and stays as it is.` : "";
  const next = out === undefined ? "" : `\`nightbake apply ${out}\` does exactly this.\n`;
  const told = cover === undefined ? [] : coverText(cover).map((line) => `  ${line}\n`);
  const edge = told.length === 0 ? "" : `At the CDN:\n${told.join("")}`;
  return `${shown}\n${edge}In all: ${priceText(price)}, ${counted(deletes, "delete")}.${broken}\n${next}`;
}
