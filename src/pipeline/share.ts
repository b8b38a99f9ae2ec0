import { randomUUID } from "node:crypto";
import { PipelineError } from "../error.ts";
import type { Shard } from "../ledger/ledger.ts";
import type { Phase, Step } from "../site.ts";
import { interrupted } from "./begin.ts";
import { briefOf, type CrewTerms } from "./crew.ts";
import { make } from "./make.ts";
import { countSteps, publishPhase } from "./publish.ts";
import type { Run } from "./run.ts";
import { addReport } from "./shard-report.ts";
import { workShard } from "./work-shard.ts";

/** Steps read at a time to be cut. */
const BATCH = 500;
/** Shards are cut when fewer are open than so many: more processes than these would find none. */
const AHEAD = 128;
/** Between two looks at the claim, for which all others who write have to wait. */
const LOOK_MS = 4_000;
/** Who was called has come by then, or does not come any more. */
const CALL_MS = 30_000;
/** Shards that the coordinator does itself between two looks at the others. */
const STINT = 4;

/**
 * Publishes a phase together with whoever helps; returns when all of its steps are confirmed.
 * @param isKind leaves other kinds for a later call
 */
export async function publishShared(
  run: Run,
  phase: Phase,
  isKind: (kind: string) => boolean = () => true,
): Promise<void> {
  const isNow = ({ kind }: Step) => isKind(kind);
  const terms = await termsFor(run, phase, isNow);
  if (terms !== undefined) await share(run, phase, { terms, isNow });
  // What is left: a few steps, all where nobody may help, none otherwise.
  await publishPhase(run, phase, isNow);
}

/** Undefined when it is not worth it, or others could not do it as this run would. */
async function termsFor(
  { wired, context, options, make: maker }: Run,
  phase: Phase,
  isNow: (step: Step) => boolean,
): Promise<CrewTerms | undefined> {
  const { crew, ledger } = wired;
  if (crew === undefined || options.plan !== undefined || maker !== make) return undefined;
  const limit = 2 * crew.pages;
  const first = await ledger.staged(context.run, { phase, limit });
  return first.length < limit && first.filter(isNow).length < limit ? undefined : crew;
}

interface Sharing {
  readonly terms: CrewTerms;
  readonly isNow: (step: Step) => boolean;
}

async function share(run: Run, phase: Phase, sharing: Sharing): Promise<void> {
  const { ledger } = run.wired;
  run.progress.begin(phase, await countSteps(run, phase));
  await ledger.openCrew(run.context.run, JSON.stringify(briefOf(run)));
  try {
    await workOff(run, phase, sharing);
  } catch (error) {
    await standDown(run, sharing.terms);
    throw error;
  }
}

/** Cuts the phase into shards, works on them as well, and returns when each has its mark. */
async function workOff(run: Run, phase: Phase, { terms, isNow }: Sharing): Promise<void> {
  const { ledger, sleep } = run.wired;
  const cuts = cut(run, phase, { terms, isNow });
  let isCut = false;
  let lookedMs = -Infinity;
  let calledMs = -Infinity;
  for (;;) {
    if (run.options.signal.aborted) throw interrupted();
    if (performance.now() >= lookedMs + LOOK_MS) {
      lookedMs = performance.now();
      await run.goOn();
    }
    await collect(run);
    const { open, held } = await ledger.countShards(run.context.run, Date.now());
    if (open > 0 && performance.now() >= calledMs + CALL_MS) {
      calledMs = performance.now();
      await terms.call?.(open, held);
    }
    if (!isCut && open < AHEAD) isCut = await cutMore(run, cuts);
    else if (isCut && open + held === 0) break;
    if (!(await workSome(run, terms)) && isCut) await sleep(terms.pollMs);
  }
  await collect(run);
}

/** Works on a few shards; false when there was none to take. */
async function workSome(run: Run, { leaseMs }: CrewTerms): Promise<boolean> {
  const { ledger } = run.wired;
  for (let done = 0; done < STINT; done += 1) {
    await run.pause();
    const as = { holder: randomUUID(), nowMs: Date.now(), leaseMs };
    const taken = await ledger.takeShard(run.context.run, as);
    if (taken === undefined) return done > 0;
    await workShard(run, taken, { leaseMs, isAhead: false });
  }
  return true;
}

/** Adds the reports of shards that are done, each once. */
async function collect(run: Run): Promise<void> {
  const { ledger } = run.wired;
  for (;;) {
    const reports = await ledger.doneShards(run.context.run, AHEAD);
    if (reports.size === 0) return;
    for (const report of reports.values()) run.progress.add(addReport(run, report));
    await ledger.dropShards(run.context.run, [...reports.keys()]);
  }
}

/** True when nothing is left to cut. */
async function cutMore(
  { wired, context }: Run,
  cuts: AsyncGenerator<Omit<Shard, "number">>,
): Promise<boolean> {
  const shards: Omit<Shard, "number">[] = [];
  while (shards.length < AHEAD) {
    const next = await cuts.next();
    if (next.done) break;
    shards.push(next.value);
  }
  await wired.ledger.cutShards(context.run, shards);
  return shards.length < AHEAD;
}

/** The ranges of keys that the steps of a phase are cut into, in order. */
async function* cut(
  { wired, context }: Run,
  phase: Phase,
  { terms, isNow }: Sharing,
): AsyncGenerator<Omit<Shard, "number">> {
  let after: Step | undefined;
  let last: Step | undefined;
  let waiting: Step[] = [];
  const shardOf = (upTo: Step) => {
    const start = last?.kind === upTo.kind ? last.key : undefined;
    last = upTo;
    return { phase, kind: upTo.kind, after: start, upTo: upTo.key };
  };
  for (;;) {
    const query = { phase, ...(after && { after }), limit: BATCH };
    const steps = await wired.ledger.staged(context.run, query);
    for (const step of steps.filter(isNow)) {
      const before = waiting.at(-1);
      if (before !== undefined && (before.kind !== step.kind || waiting.length === terms.pages)) {
        yield shardOf(before);
        waiting = [];
      }
      waiting.push(step);
    }
    if (steps.length < BATCH) break;
    after = steps.at(-1);
  }
  const end = waiting.at(-1);
  if (end !== undefined) yield shardOf(end);
}

/** Does the work while nobody else works on the run; what was taken is finished before. */
export async function alone<T>(run: Run, work: () => Promise<T>): Promise<T> {
  const { crew, ledger } = run.wired;
  if (crew === undefined) return await work();
  await standDown(run, crew);
  try {
    return await work();
  } finally {
    await ledger.pauseCrew(run.context.run, false);
  }
}

/**
 * Lets nobody take a shard any more, and waits for those who have one: what they asked of the store
 * must not take place after this run.
 */
async function standDown({ wired, context }: Run, { leaseMs, pollMs }: CrewTerms): Promise<void> {
  try {
    await wired.ledger.pauseCrew(context.run, true);
    const isHeld = async () => {
      return (await wired.ledger.countShards(context.run, Date.now())).held > 0;
    };
    for (let waited = 0; waited < leaseMs && (await isHeld()); waited += pollMs) {
      await wired.sleep(pollMs);
    }
    const isLate = await isHeld();
    // Who stalled since he put something must not record it now, nor put more.
    await wired.ledger.reclaimShards(context.run);
    if (isLate) await wired.sleep(leaseMs);
  } catch (error) {
    // A ledger that does not answer gives nobody the claim before the leases have ended.
    if (!(error instanceof PipelineError)) throw error;
  }
}
