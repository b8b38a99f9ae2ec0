import { setTimeout as sleep } from "node:timers/promises";
import type { Job, JobProgress, Jobs } from "../src/jobs/job.ts";
import { quantile } from "./spread.ts";

/** What comes to a nightly build by turns. */
export interface Alternating {
  /** Its job. */
  readonly nightly: string;
  /** Asks for one page. */
  readonly ask: (at: number) => Promise<Job>;
  /** Of each turn. */
  readonly seconds: number;
  /** Between two requests, in the middle. */
  readonly gapMs: number;
  readonly say: (text: string) => void;
}

const STEP_MS = 50;

/**
 * Leaves a build alone and comes to it with requests, by turns, until it is done; says how many pages a
 * second it published, by phase, in turns that began and ended in the same one.
 */
export async function alternately(jobs: Jobs, options: Alternating): Promise<readonly Job[]> {
  const { nightly, ask, seconds, gapMs, say } = options;
  const asked: Job[] = [];
  const rates = new Map<string, { readonly alone: number[]; readonly asked: number[] }>();
  for (let turn = 0; ; turn += 1) {
    const isAlone = turn % 2 === 0;
    const begun = performance.now();
    const first = await standing(jobs, nightly);
    let nextMs = isAlone ? Infinity : begun + gap(gapMs);
    while (performance.now() < begun + seconds * 1000 && !(await hasEnded(jobs, nightly))) {
      if (performance.now() >= nextMs) {
        asked.push(await ask(asked.length));
        nextMs = performance.now() + gap(gapMs);
      }
      await sleep(STEP_MS);
    }
    const last = await standing(jobs, nightly);
    const rate = rateBetween(first, last, (performance.now() - begun) / 1000);
    const phase = last?.phase ?? "no phase";
    const of = rates.get(phase) ?? { alone: [], asked: [] };
    if (rate !== undefined) of[isAlone ? "alone" : "asked"].push(rate);
    rates.set(phase, of);
    say(
      `${isAlone ? "alone" : "asked"}: ${phase}, ${rate?.toFixed(0) ?? "-"} pages/s; ${asked.length} requests so far`,
    );
    if (await hasEnded(jobs, nightly)) break;
  }
  for (const [phase, of] of rates) {
    const [alone, besides] = [quantile(of.alone, 0.5), quantile(of.asked, 0.5)];
    const lost = `${((1 - besides / alone) * 100).toFixed(1)} % lost`;
    const turns = `${of.alone.length} and ${of.asked.length} turns`;
    say(
      `${phase}, pages/s: ${alone.toFixed(0)} alone, ${besides.toFixed(0)} with requests: ${lost}; ${turns}`,
    );
  }
  const ended = await jobs.job(nightly);
  const took = ((ended?.finishedAt ?? 0) - (ended?.startedAt ?? 0)) / 1_000_000;
  say(`the build: ${ended?.outcome?.changed} pages in ${took.toFixed(0)} s`);
  return asked;
}

async function standing(jobs: Jobs, id: string): Promise<JobProgress | undefined> {
  return (await jobs.job(id))?.progress;
}

async function hasEnded(jobs: Jobs, id: string): Promise<boolean> {
  return (await jobs.job(id))?.finishedAt !== undefined;
}

/** Milliseconds until the next of what comes at random. */
function gap(meanMs: number): number {
  return -Math.log(1 - Math.random()) * meanMs;
}

function rateBetween(
  first: JobProgress | undefined,
  last: JobProgress | undefined,
  seconds: number,
): number | undefined {
  if (first === undefined || last === undefined || first.phase !== last.phase) return undefined;
  const done = last.done - first.done;
  return done > 0 && seconds > 1 ? done / seconds : undefined;
}
