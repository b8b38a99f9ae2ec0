import { PipelineError, type Problem } from "../error.ts";
import type { LivePage } from "../ledger/ledger.ts";
import { planWithout } from "../plan/changes.ts";
import { planClashes } from "../plan/clashes.ts";
import { ASSET_KIND, loadPages } from "../plan/kinds.ts";
import { isLoaded } from "../plan/stale.ts";
import { pageName, type RecordedRead, type Step } from "../site.ts";
import { generationOf, printsOf, readsOf } from "./describe.ts";
import { make } from "./make.ts";
import { idOf, isSettled, PlanCursor, type PlanFile, type PlanLine } from "./plan-file.ts";
import { leaveOut } from "./publish.ts";
import type { Run } from "./run.ts";

const BATCH = 200;
/** Pages told that have moved on; the first ones say what happened. */
const MAX_PROBLEMS = 10;

/**
 * Makes the run's plan the one in the file: steps that came since leave it, and every page of the
 * file must be planned again as it stands there. True when steps were left out, for the next build.
 * @throws PipelineError `plan_stale` with the first pages that moved on, and what did
 */
export async function confine(run: Run, plan: PlanFile): Promise<boolean> {
  checkHeader(run, plan);
  const problems = await failAgain(run, plan);
  const isPartial = await leaveOthers(run, plan);
  const displaced = await planClashes(run.context, { foldsCase: run.wired.store.foldsCase });
  problems.push(...displaced.map(({ route }) => moved(route, "Another page has the route now.")));
  for await (const lines of plan.batches(isSettled)) {
    if (problems.length < MAX_PROBLEMS) problems.push(...(await compare(run, lines)));
  }
  if (problems.length > 0) throw stale(problems.slice(0, MAX_PROBLEMS));
  return isPartial;
}

function checkHeader({ wired }: Run, { header }: PlanFile): void {
  const flaw =
    header.ledger !== wired.ledger.id
      ? "It was made with another ledger."
      : header.prints !== printsOf(wired)
        ? "The templates, the site definition or this release of Nightbake are others now."
        : undefined;
  if (flaw !== undefined) throw stale([moved("the plan", flaw)]);
}

/**
 * Pages that failed when the plan was made fail again, and what counted on them is planned without
 * them as it was then. Gives those that do not.
 */
async function failAgain(run: Run, plan: PlanFile): Promise<Problem[]> {
  const { context, wired, tally } = run;
  const problems: Problem[] = [];
  for (;;) {
    for await (const lines of plan.batches(({ action }) => action === "fail")) {
      const steps = await wired.ledger.stepsOf(context.run, lines.map(idOf));
      const left = steps.filter((step) => step !== undefined);
      for (const [kind, own] of Map.groupBy(left, (step) => step.kind)) {
        const made = new Set((await make(run, kind, own)).map(({ step }) => step));
        problems.push(
          ...[...made].map(({ route }) => moved(route, "It failed then, and can be made now.")),
        );
        await leaveOut(
          run,
          own.filter((step) => !made.has(step)),
        );
      }
    }
    const missing = tally.takeMissing();
    if (missing.length === 0) return problems;
    const displaced = await planClashes(context, { foldsCase: wired.store.foldsCase });
    await planWithout(context, [...missing, ...displaced]);
  }
}

/** Takes the steps that the file does not have out of the plan. True when there were any. */
async function leaveOthers({ context, wired }: Run, plan: PlanFile): Promise<boolean> {
  const { ledger } = wired;
  const cursor = new PlanCursor(plan.batches(isSettled));
  let isPartial = false;
  let after: Step | undefined;
  for (;;) {
    const steps = await ledger.staged(context.run, { ...(after && { after }), limit: BATCH });
    const others: Step[] = [];
    for (const step of steps) {
      if (step.phase === "feeds") continue;
      if ((await cursor.at(step)) === undefined) others.push(step);
    }
    isPartial ||= others.length > 0;
    await ledger.unstage(context.run, others);
    if (steps.length < BATCH) return isPartial;
    after = steps.at(-1);
  }
}

/** What of these lines is not as it was. */
async function compare(run: Run, lines: readonly PlanLine[]): Promise<readonly Problem[]> {
  const { ledger } = run.wired;
  const ids = lines.map(idOf);
  const [steps, live] = await Promise.all([
    ledger.stepsOf(run.context.run, ids),
    ledger.pages(ids),
  ]);
  const reads = await loadReads(run, steps);
  return lines.flatMap((line, at) => {
    const step = steps[at];
    const what =
      step === undefined ? NO_STEP : difference(run, line, { step, live: live[at], reads });
    return what === undefined ? [] : [moved(line.route, what)];
  });
}

const NO_STEP = "It is as it should be already, or its rows changed back.";

function difference(
  run: Run,
  line: PlanLine,
  now: {
    readonly step: Step;
    readonly live: LivePage | undefined;
    readonly reads: ReadonlyMap<string, readonly RecordedRead[]>;
  },
): string | undefined {
  const { step, live } = now;
  const generation = generationOf(run, step, live);
  if (line.live?.release !== generation?.release || line.live?.hash !== generation?.hash) {
    return generation === null
      ? "It is not live any more."
      : `Release ${generation.release} has put it since.`;
  }
  const action = line.action === "unchanged" ? "update" : line.action;
  const start = step.start === undefined ? null : Buffer.from(step.start).toString("hex");
  if (action !== step.action) return `Its step would be ${step.action} now, not ${action}.`;
  if (line.route !== step.route || line.from !== (step.from ?? null))
    return `Its route would be ${step.route} now.`;
  if (line.start !== start) return "Its window begins elsewhere now.";
  if (action === "delete" || step.kind === ASSET_KIND) return undefined;
  const reads = now.reads.get(pageName(step));
  if (reads === undefined) return "It cannot be made now.";
  const digests = readsOf(reads);
  const names = [...new Set([...Object.keys(line.reads), ...Object.keys(digests)])];
  const changed = names.find((name) => line.reads[name] !== digests[name]);
  return changed === undefined ? undefined : `Its read ${changed} has changed since.`;
}

/** What the pages of steps read now, by `pageName`; a page that cannot be loaded is left out. */
async function loadReads(
  { context }: Run,
  steps: readonly (Step | undefined)[],
): Promise<ReadonlyMap<string, readonly RecordedRead[]>> {
  const puts = steps.filter((step) => step !== undefined && step.action !== "delete") as Step[];
  const found = new Map<string, readonly RecordedRead[]>();
  for (const [name, own] of Map.groupBy(puts, (step) => step.kind)) {
    const kind = context.site.kinds.find((each) => each.name === name);
    if (kind === undefined) continue;
    const pages = await loadPages(
      kind,
      context,
      own.map((step) => ({ ...step, lastmod: undefined })),
    );
    for (const page of pages) if (isLoaded(page)) found.set(pageName(page), page.reads);
  }
  return found;
}

function moved(place: string, message: string): Problem {
  return { place, message };
}

function stale(problems: readonly Problem[]): PipelineError {
  return new PipelineError(
    "plan_stale",
    "Pages have moved on since the plan was made; nothing was published.",
    {
      hint: "Plan again and look at what is different.",
      problems,
    },
  );
}
