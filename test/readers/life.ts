import { vi } from "vitest";
import { resume, rollback, type Wired } from "../../src/pipeline.ts";
import { openRowsFile } from "../history/rows-file.ts";
import { atEffects, faultAt, unlessStruck } from "../pipeline/faults.ts";
import { writeFiles } from "../pipeline/files.ts";
import { START } from "../pipeline/rows.ts";
import { bake, smallSite } from "../pipeline/small-site.ts";
import { lookAround, openWired, pass } from "./between.ts";
import type { Counts } from "./crawler.ts";
import { perform, setLook } from "./deeds.ts";
import type { Deed, History, Moment, Run } from "./moments.ts";
import { type Life, openLife } from "./state.ts";

/** A run that was killed holds the ledger for half a minute. */
const CLAIM_SECONDS = 31;
const KILLED = 10_000;
const signal = new AbortController().signal;

/** What was lived through. */
export interface Lived extends Counts {
  readonly histories: number;
  readonly runs: number;
  readonly killed: number;
  readonly evictions: number;
  readonly deleted: number;
}

/**
 * Lives through a history while crawlers look between any two of its effects, on a clock that stands
 * still but for what passes here. Gives what they did, and the first things that they miss.
 */
export async function live(
  history: History,
): Promise<{ readonly lived: Lived; readonly problems: readonly string[] }> {
  vi.useFakeTimers({ toFake: ["Date", "performance"], now: START / 1000 });
  try {
    await using site = await smallSite();
    using rows = openRowsFile(site.source);
    const life = openLife(site, rows, history);
    setLook(site.dir, 0);
    rows.write(history.posts);
    declare(life, history.caching);
    await publish(life, { is: "build", ago: 0, killedAt: undefined });
    for (const [at, moment] of history.moments.entries()) {
      if (life.problems.length === 0) await liveThrough(life, moment, at + 1);
    }
    await settle(life);
    const { counts, runs, killed, deleted, problems } = life;
    const evictions = life.edges.evicted();
    return { lived: { histories: 1, ...counts, runs, killed, evictions, deleted }, problems };
  } finally {
    vi.useRealTimers();
  }
}

async function liveThrough(life: Life, moment: Moment, at: number): Promise<void> {
  life.doing = `before ${at}`;
  for (const deed of moment.deeds) {
    for (const row of perform(life.rows, life.site.dir, deed)) life.untold.add(row);
    declare(life, deed);
  }
  await writeFiles(life.site.dir, moment.files);
  await publish(life, moment.run);
  pass(life, moment.seconds);
}

function declare(life: Life, deed: Deed): void {
  if (deed.do !== "caching") return;
  for (const kind of deed.kinds) life.caching.set(kind, deed.caching);
  const { maxAge = 0, staleWhileRevalidate = 0 } = deed.caching;
  if (maxAge + staleWhileRevalidate > 0) life.mayKeep = true;
}

/** Everything that waits for a date goes, and no edge holds what is not published. */
async function settle(life: Life): Promise<void> {
  for (let at = 0; at < 2 && life.problems.length === 0; at += 1) {
    pass(life, 100_000);
    await publish(life, { is: "build", ago: 0, killedAt: undefined });
  }
  if (!life.mayKeep && life.counts.afterwards > 0)
    life.problems.push("missed without browsers' copies");
  for (const path of life.edges.stale()) life.problems.push(`${path} is stale at an edge`);
}

async function publish(life: Life, run: Run): Promise<void> {
  if (life.runs > 0) lookAround(life);
  life.runs += 1;
  await using wired = await openWired(life);
  const nth = run.killedAt ?? KILLED;
  const fault = faultAt({ nth, when: "before", isFatal: true, error: () => new Error("killed") });
  const done = await unlessStruck(fault, start(life, atEffects(fault, wired), run));
  life.doing = "afterwards";
  if (fault.hasStruck()) {
    life.killed += 1;
    pass(life, CLAIM_SECONDS);
  } else if (done?.release !== undefined) {
    life.releases.push(done.release);
    life.deleted += done.deleted;
  }
  await resume(wired);
  lookAround(life);
}

async function start(life: Life, wired: Wired, run: Run) {
  const release = life.releases.at(-1 - run.ago);
  if (run.is === "rollback" && release !== undefined) {
    return await rollback(wired, release, { isDryRun: false, signal, emit: () => {} });
  }
  const targets = run.is === "rebuild" ? { targets: [...life.untold] } : {};
  const done = await bake(wired, { now: () => Date.now() * 1000, ...targets });
  life.untold.clear();
  return done;
}
