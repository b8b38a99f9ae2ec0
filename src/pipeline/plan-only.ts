import type { CoverReport } from "../invalidate/cover-report.ts";
import { planWithout } from "../plan/changes.ts";
import { planClashes } from "../plan/clashes.ts";
import { planFeeds } from "../plan/feeds.ts";
import type { Planned } from "../plan/plan.ts";
import { type Price, priceOf } from "../price.ts";
import { causeOf, type Step } from "../site.ts";
import { interrupted } from "./begin.ts";
import { headerOf, lineOf } from "./describe.ts";
import { type Foreseen, type Foresight, openForesight } from "./foresight.ts";
import { type Made, make } from "./make.ts";
import { type PlanAction, type PlanLine, planWriter } from "./plan-file.ts";
import { isListedAnew, leaveOut } from "./publish.ts";
import type { BuildOptions, Run, Wired } from "./run.ts";
import { taggedAs } from "./tagged.ts";
import { withPlan } from "./with-plan.ts";

/** What a plan would do, summed up. */
export interface PlanSummary {
  readonly groups: readonly PlanGroup[];
  /** Bytes to put; those of sitemaps are not known yet. */
  readonly bytes: number;
  readonly deletes: number;
  /** Pages that fail: each keeps its last good version. */
  readonly failed: number;
  readonly price: Price;
  /** What the CDN would be told, as far as it can be foreseen; undefined when there is nothing to tell. */
  readonly cover: CoverReport | undefined;
}

/** Steps of one kind with one action and one cause. */
export interface PlanGroup {
  readonly kind: string;
  readonly action: PlanAction;
  readonly cause: string;
  readonly pages: number;
  readonly bytes: number;
}

const BATCH = 200;

/**
 * Plans a run, makes its pages without putting any, and writes the plan to `file`, to be applied
 * later. Nothing else is written. Sitemaps follow from the other pages; what is in them is not
 * foreseen.
 */
export async function planOnly(
  wired: Wired,
  options: Omit<BuildOptions, "isDryRun">,
  file: string,
): Promise<PlanSummary> {
  return await withPlan(wired, { ...options, isDryRun: true }, async (run, _, planned) => {
    const failures: PlanLine[] = [];
    for (;;) {
      const summary = await tryPlan(run, planned, { file, failures });
      if (summary !== undefined) return summary;
    }
  });
}

/** Undefined when new pages failed that others counted on: those are planned without them, and all is told anew. */
async function tryPlan(
  run: Run,
  { feeds }: Planned,
  { file, failures }: { readonly file: string; readonly failures: PlanLine[] },
): Promise<PlanSummary | undefined> {
  const { context, wired, tally } = run;
  const sums = planSums();
  const foresight = openForesight(run);
  await using writer = await planWriter(file, headerOf(run));
  const write = async (lines: readonly PlanLine[]) => {
    sums.add(lines);
    await writer.write(lines);
  };
  for await (const steps of stepsOf(run)) {
    const lines = await describe(run, steps, foresight);
    failures.push(...lines.filter(({ action }) => action === "fail"));
    await write(lines.filter(({ action }) => action !== "fail"));
  }
  const missing = tally.takeMissing();
  if (missing.length > 0) {
    const displaced = await planClashes(context, { foldsCase: wired.store.foldsCase });
    await planWithout(context, [...missing, ...displaced]);
    return undefined;
  }
  await write(failures);
  await planFeeds(context, feeds, tally.feedKeys());
  for await (const steps of stepsOf(run, "feeds")) {
    const live = await wired.ledger.pages(steps);
    await foresight.add(steps.map((step) => ({ step })));
    await write(steps.map((step, at) => lineOf(run, step, { live: live[at] })));
  }
  await writer.end();
  return sums.summary(await foresight.cover());
}

/** The run's steps in page order, in batches; those of sitemaps only when asked for. */
async function* stepsOf(run: Run, phase?: "feeds"): AsyncGenerator<readonly Step[]> {
  let after: Step | undefined;
  for (;;) {
    if (run.options.signal.aborted) throw interrupted();
    const query = { ...(phase && { phase }), ...(after && { after }), limit: BATCH };
    const steps = await run.wired.ledger.staged(run.context.run, query);
    yield steps.filter((step) => (step.phase === "feeds") === (phase === "feeds"));
    if (steps.length < BATCH) return;
    after = steps.at(-1);
  }
}

/** Makes the pages of steps, and tells what of them would be put; those that fail leave the plan. */
async function describe(
  run: Run,
  steps: readonly Step[],
  foresight: Foresight,
): Promise<readonly PlanLine[]> {
  const puts = steps.filter(({ action }) => action !== "delete");
  const made = new Map<Step, Made>();
  for (const [kind, own] of Map.groupBy(puts, (step) => step.kind)) {
    for (const each of await make(run, kind, own)) made.set(each.step, each);
    run.progress.addTo("check", own.length);
  }
  const live = await run.wired.ledger.pages(steps);
  const anew = steps.filter((step, at) => {
    const own = made.get(step);
    return own !== undefined && isListedAnew(live[at], { ...step, lastmod: own.lastmod });
  });
  run.tally.touchFeeds(anew);
  await leaveOut(
    run,
    puts.filter((step) => !made.has(step)),
  );
  const lines = steps.map((step, at) => {
    return lineOf(run, step, { made: made.get(step), live: live[at] });
  });
  await foresight.add(
    lines.flatMap((line, at) => foreseen(run, line, made.get(steps[at] as Step))),
  );
  return lines;
}

/** What of a line the CDN would be told. */
function foreseen({ wired }: Run, line: PlanLine, made: Made | undefined): readonly Foreseen[] {
  const { kind, route, action } = line;
  if (action === "unchanged" || action === "fail") return [];
  const step = { kind, route, action, from: line.from ?? undefined };
  return [{ step, tags: made && taggedAs(made, wired.cdn).tags }];
}

/** Sums lines up by kind, action and cause. */
function planSums(): {
  add(lines: readonly PlanLine[]): void;
  summary(cover: CoverReport | undefined): PlanSummary;
} {
  const groups = new Map<string, { -readonly [N in keyof PlanGroup]: PlanGroup[N] }>();
  let items = 0;
  return {
    add(lines) {
      for (const line of lines) {
        const { kind, action, bytes } = line;
        const cause = causeOf(line);
        const name = `${kind} ${action} ${cause}`;
        const group = groups.get(name) ?? { kind, action, cause, pages: 0, bytes: 0 };
        groups.set(name, group);
        group.pages += 1;
        if (isPut(action)) group.bytes += bytes;
        items += line.items;
      }
    },
    summary(cover) {
      const all = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
      const sum = (isOwn: (action: PlanAction) => boolean) =>
        all.filter(({ action }) => isOwn(action)).reduce((total, { pages }) => total + pages, 0);
      return {
        groups: all,
        bytes: all.reduce((total, { bytes }) => total + bytes, 0),
        deletes: sum((action) => action === "delete"),
        failed: sum((action) => action === "fail"),
        price: priceOf({ puts: sum(isPut), items: cover?.load.items ?? items }),
        cover,
      };
    },
  };
}

function isPut(action: PlanAction): boolean {
  return action === "create" || action === "update";
}
