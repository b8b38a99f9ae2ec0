import { vi } from "vitest";
import { resume, rollback, type Wired } from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import type { Artifact, Caching } from "../../src/site.ts";
import { openRowsFile, type RowsFile } from "../history/rows-file.ts";
import { around } from "../pipeline/calls.ts";
import { withHeaders } from "../pipeline/declared.ts";
import { CDN_CALLS, callsThat, LEDGER_CALLS } from "../pipeline/effects.ts";
import { atEffects, faultAt, unlessStruck } from "../pipeline/faults.ts";
import { writeFiles } from "../pipeline/files.ts";
import { START } from "../pipeline/rows.ts";
import { bake, openSmall, type SmallSite, smallSite } from "../pipeline/small-site.ts";
import { type Counts, type Crawler, crawler } from "./crawler.ts";
import { perform, setLook } from "./deeds.ts";
import { type Dice, dice } from "./dice.ts";
import { type Edges, edges } from "./edges.ts";
import type { Deed, History, Moment, Run } from "./moments.ts";

/** Longest time between two effects, ms. */
const TICK_MS = 300;
/** Looks around while time passes in which nothing is published. */
const LOOKS = 4;
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

/** One history under way. */
interface Life {
  readonly site: SmallSite;
  readonly rows: RowsFile;
  /** Rows that changed since they were last read. */
  readonly untold: Set<string>;
  readonly objects: Map<string, Artifact>;
  readonly store: ObjectStore;
  readonly edges: Edges;
  readonly dice: Dice;
  readonly crawlers: readonly Crawler[];
  readonly leaving: Set<string>;
  readonly counts: Counts;
  readonly problems: string[];
  readonly caching: Map<string, Caching>;
  readonly releases: number[];
  /** For complaints. */
  doing: string;
  runs: number;
  killed: number;
  deleted: number;
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

function openLife(site: SmallSite, rows: RowsFile, { seed, hasTags }: History): Life {
  const objects = new Map<string, Artifact>();
  const own = dice(seed);
  const cdn = edges(objects, own, hasTags);
  const counts: Counts = {
    views: 0,
    clicks: 0,
    assets: 0,
    afterwards: 0,
    missingPages: 0,
    missingAssets: 0,
    mixes: 0,
  };
  const leaving = new Set<string>();
  const problems: string[] = [];
  const life: Life = {
    ...{
      site,
      rows,
      untold: new Set(),
      objects,
      store: memoryStore(objects, new Map()),
      edges: cdn,
      dice: own,
    },
    ...{ leaving, counts, problems, caching: new Map(), releases: [] },
    ...{ doing: "", runs: 0, killed: 0, deleted: 0 },
    crawlers: Array.from({ length: cdn.count + 1 }, (_, at) =>
      crawler({ objects, edges: cdn, leaving, counts, complain }, at % cdn.count),
    ),
  };
  function complain(about: string) {
    if (problems.length < 9) problems.push(`${about} (run ${life.runs}, ${life.doing})`);
  }
  return life;
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

function declare({ caching }: Life, deed: Deed): void {
  if (deed.do !== "caching") return;
  for (const kind of deed.kinds) caching.set(kind, deed.caching);
}

/** Everything that waits for a date goes, and no edge holds what is not published. */
async function settle(life: Life): Promise<void> {
  for (let at = 0; at < 2 && life.problems.length === 0; at += 1) {
    pass(life, 100_000);
    await publish(life, { is: "build", ago: 0, killedAt: undefined });
  }
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

/** The pipeline with crawlers between its effects. */
async function openWired(life: Life): Promise<Wired> {
  const opened = await openSmall(life.site, {
    ledger: "ledger.db",
    store: life.store,
    cdn: life.edges,
  });
  let wired = opened;
  for (const [kind, cache] of life.caching) wired = withHeaders(wired, kind, { cache });
  const look = async (name: string, call: () => unknown) => {
    step(life, `before ${name}`);

    const result = await call();
    if (name === "dateRetired") await noteLeaving(life, opened);
    step(life, `after ${name}`);
    return result;
  };
  return {
    ...wired,
    ledger: around(wired.ledger, callsThat(LEDGER_CALLS, "effect"), look),
    cdn: around(wired.cdn, callsThat(CDN_CALLS, "effect"), look),
    store: seenStore(life, look),
    sleep: async (ms) => pass(life, ms / 1000, 2),
  };
}

/** Of objects that go together each goes at a moment of its own. */
function seenStore(
  { store, leaving }: Life,
  look: (name: string, call: () => unknown) => Promise<unknown>,
): ObjectStore {
  return {
    ...store,
    async put(artifact, write) {
      const put = async () => {
        leaving.delete(artifact.key);
        return await store.put(artifact, write);
      };
      return (await look(`put ${artifact.key}`, put)) as string;
    },
    async delete(keys, deletion) {
      const refused: string[] = [];
      for (const key of keys) {
        const gone = await look(`delete ${key}`, () => store.delete([key], deletion));
        refused.push(...(gone as readonly string[]));
      }
      return refused;
    },
  };
}

async function noteLeaving({ leaving, crawlers }: Life, { ledger }: Wired): Promise<void> {
  leaving.clear();
  for (const { object } of await ledger.retired(10_000)) leaving.add(object);
  for (const each of crawlers) each.weed();
}

/** A little time passes, and one crawler looks around. */
function step(life: Life, doing: string): void {
  life.doing = doing;
  vi.advanceTimersByTime(1 + life.dice.roll(TICK_MS));
  // Before the first build has ended there is no site.
  if (life.runs > 1) life.crawlers[life.dice.roll(life.crawlers.length)]?.turn();
}

function lookAround(life: Life): void {
  for (const each of life.crawlers) {
    each.weed();
    vi.advanceTimersByTime(1);
    each.turn();
  }
}

function pass(life: Life, seconds: number, looks = LOOKS): void {
  for (let at = 0; at < looks; at += 1) {
    vi.advanceTimersByTime(Math.ceil((seconds * 1000) / looks));
    step(life, `${seconds} s of nothing`);
  }
}
