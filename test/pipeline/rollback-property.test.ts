import fc from "fast-check";
import { expect, test } from "vitest";
import type { Ledger } from "../../src/ledger/ledger.ts";
import {
  exportHistory,
  exportQuarantine,
  importHistory,
  importQuarantine,
  releasesOf,
  resume,
  rollback,
  type Wired,
} from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { Artifact } from "../../src/site.ts";
import { memoryCache } from "../cache/memory-cache.ts";
import { type CacheCdn, cacheCdn } from "./cache-cdn.ts";
import { atEffects, faultAt, unlessStruck } from "./faults.ts";
import { badFileChange, type FileChange, fileChange, writeFiles } from "./files.ts";
import { laterLedger } from "./later.ts";
import { siteOf } from "./releases.ts";
import { badChange, type Change, change, DAY, START, writeRows } from "./rows.ts";
import { bake, differences, openSmall, type SmallSite, smallSite } from "./small-site.ts";

/** Changes and a build, then rollbacks one after another, of which some die, and the end of the hold. */
interface Moment {
  readonly changes: readonly Change[];
  readonly files: readonly FileChange[];
  readonly days: number;
  readonly backs: readonly Back[];
}

interface Back {
  /** Which of the releases so far, counted from the last. */
  readonly ago: number;
  /** The effect at which it dies; it is then done again or left as it is. */
  readonly nth: number;
  readonly isAgain: boolean;
}

const back: fc.Arbitrary<Back> = fc.record({
  ago: fc.nat(5),
  nth: fc.oneof({ weight: 2, arbitrary: fc.constant(1_000_000) }, fc.integer({ min: 1, max: 80 })),
  isAgain: fc.boolean(),
});

const moment: fc.Arbitrary<Moment> = fc.record({
  changes: fc.array(
    fc.oneof({ weight: 12, arbitrary: change }, { weight: 1, arbitrary: badChange }),
    { minLength: 1, maxLength: 6 },
  ),
  files: fc.array(
    fc.oneof({ weight: 8, arbitrary: fileChange }, { weight: 1, arbitrary: badFileChange }),
    { maxLength: 1 },
  ),
  days: fc.integer({ min: 0, max: 40 }),
  backs: fc.array(back, { maxLength: 3 }),
});

const RUNS = Number(process.env["HISTORIES"] ?? 40);
const SEED = Number(process.env["SEED"] ?? 7);
const signal = new AbortController().signal;

test(`in each of ${RUNS} random histories a rollback gives what was, and a build after it ends exact`, async () => {
  console.info(`seed ${SEED}`);
  const all = fc.tuple(fc.array(moment, { minLength: 2, maxLength: 6 }), fc.boolean());
  const property = fc.asyncProperty(all, ([history, isVersioned]) => live(history, isVersioned));
  await fc.assert(property, { numRuns: RUNS, seed: SEED });
}, 600_000);

type Shown = Readonly<Record<string, string>>;

/** One history under way. */
interface Life {
  readonly site: SmallSite;
  readonly objects: Map<string, Artifact>;
  readonly cdn: CacheCdn;
  readonly wired: Wired;
  /** What the site was after each release, by number; what was cut off is in none. */
  readonly sites: Map<number, Shown>;
  /** Runs so far, each later than the claims of those before. */
  runs: number;
  now: number;
}

async function live(history: readonly Moment[], isVersioned: boolean): Promise<void> {
  await using site = await smallSite();
  const objects = new Map<string, Artifact>();
  const cdn = cacheCdn(objects, memoryStore(objects, isVersioned ? new Map() : undefined), {
    hasTags: true,
  });
  await using opened = await openSmall(site, { ledger: "ledger.db", store: cdn.origin, cdn });
  const wired = { ...opened, kept: memoryCache() };
  const life = { site, objects, cdn, wired, sites: new Map(), runs: 0, now: START };
  for (const { changes, files, days, backs } of history) {
    life.now += days * DAY;
    writeRows(site.source, changes);
    await writeFiles(site.dir, files);
    await build(life);
    for (const each of backs) await goBack(life, each);
    await resume(wired);
  }
  await build(life);
}

/** Builds with the files as they are; what comes of it is what a build from scratch makes. */
async function build(life: Life): Promise<void> {
  const { site, objects, cdn, wired, sites } = life;
  await using fresh = await openSmall(site, { ledger: "unused.db", store: cdn.origin, cdn });
  const { source, kept } = wired;
  const own = { ...fresh, source, kept, ledger: later(life) };
  const { release } = await bake(own, { now: () => life.now });
  const now = siteOf(objects);
  isLike(now, await fromScratch(life, fresh));
  expect(cdn.stale()).toEqual([]);
  if (release !== undefined) sites.set(release, now);
}

/** Where a page fails that names an asset of before, that one may be there for its day, or not. */
function isLike(actual: Shown, wanted: Shown): void {
  const isKept = (key: string) => !key.startsWith("assets/") || wanted[key] !== undefined;
  const own = Object.entries(actual).filter(([key]) => isKept(key));
  expect(differences(Object.fromEntries(own), wanted)).toEqual([]);
}

async function fromScratch({ site, wired, now }: Life, fresh: Wired) {
  const objects = new Map<string, Artifact>();
  const store = memoryStore(objects);
  await using opened = await openSmall(site, { ledger: `scratch-${Math.random()}.db`, store });
  const other = { ...fresh, ledger: opened.ledger, store, cdn: opened.cdn };
  await importHistory(other, exportHistory(wired.ledger), "history");
  const options = { file: "quarantine", signal, emit: () => {}, now: () => now };
  await importQuarantine(other, exportQuarantine(wired), options);
  await bake(other, { now: () => now });
  return siteOf(objects);
}

async function goBack(life: Life, { ago, nth, isAgain }: Back): Promise<void> {
  const { sites, objects, cdn, wired } = life;
  const numbers = [...sites.keys()].sort((a, b) => b - a);
  const release = numbers[Math.min(ago, numbers.length - 1)] ?? 1;
  const wanted = sites.get(release) ?? {};
  const fault = faultAt({ nth, when: "before", isFatal: true, error: () => new Error("killed") });
  const options = { isDryRun: false, signal, emit: () => {}, now: () => life.now };
  const dying = atEffects(fault, { ...wired, ledger: later(life) });
  const died = await unlessStruck(fault, rollback(dying, release, options));
  if (died === undefined && !isAgain) return;
  const done = died ?? (await rollback({ ...wired, ledger: later(life) }, release, options));
  isLike(siteOf(objects), wanted);
  expect(cdn.stale()).toEqual([]);
  sites.set(done.release ?? 0, wanted);
  const [line] = await releasesOf(wired, 1);
  expect(line).toMatchObject({ release: done.release, run: "rollback", rollback: release });
}

/** Each run begins when the claim of the one before, which may have died, has ended. */
function later(life: Life): Ledger {
  life.runs += 1;
  return laterLedger(life.wired.ledger, life.runs);
}
