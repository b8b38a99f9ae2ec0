import { rmSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ADOPTION, OPEN } from "../../src/pipeline/adopted.ts";
import { exportHistory, importHistory } from "../../src/pipeline/route-history.ts";
import type { BuildOptions, Wired } from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { Artifact } from "../../src/site.ts";
import { adopt } from "../../src/verify/adopt.ts";
import { type CacheCdn, cacheCdn } from "./cache-cdn.ts";
import { atEffects, faultAt, unlessStruck } from "./faults.ts";
import { later } from "./later.ts";
import { brokenLinks } from "./links.ts";
import { badChange, type Change, change, DAY, mendRows, START, writeRows } from "./rows.ts";
import {
  bake,
  differences,
  openSmall,
  type SmallSite,
  scratch,
  served,
  shown,
  smallSite,
} from "./small-site.ts";

/** Changes, a lost store, and a run that dies at one of its effects. */
interface Moment {
  readonly changes: readonly Change[];
  readonly days: number;
  /** The call at which the run dies; beyond the last it does not. */
  readonly nth: number;
  readonly when: "before" | "after";
  readonly only: string | undefined;
  readonly isWiped: boolean;
  /** The ledger is lost; the store is adopted, and the route history brought back from an export. */
  readonly isLost: boolean;
}

const moment: fc.Arbitrary<Moment> = fc.record({
  changes: fc.array(
    fc.oneof({ weight: 12, arbitrary: change }, { weight: 1, arbitrary: badChange }),
    { maxLength: 6 },
  ),
  days: fc.integer({ min: 0, max: 10 }),
  nth: fc.integer({ min: 1, max: 120 }),
  when: fc.constantFrom("before", "after"),
  only: fc.option(fc.constantFrom("post", "note", "author", "sitemap"), {
    nil: undefined,
    freq: 2,
  }),
  isWiped: fc.nat(15).map((n) => n === 0),
  isLost: fc.nat(9).map((n) => n === 0),
});

const RUNS = Number(process.env["HISTORIES"] ?? 60);

test(`after each of ${RUNS} histories of runs that die, one that does not ends exact`, async () => {
  const seed = Number(process.env["SEED"] ?? 23);
  console.info(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(fc.array(moment, { minLength: 2, maxLength: 7 }), fc.boolean(), check),
    {
      numRuns: RUNS,
      seed,
    },
  );
}, 600_000);

async function check(history: readonly Moment[], hasTags: boolean): Promise<void> {
  await using site = await smallSite();
  const objects = new Map<string, Artifact>();
  const cdn = cacheCdn(objects, memoryStore(objects), { hasTags });
  let now = START;
  for (const [at, { changes, days, nth, when, only, isWiped, isLost }] of history.entries()) {
    now += days * DAY;
    if (isWiped) await wipeStore(site, cdn, { objects, now, at });
    if (isLost) await loseLedger(site, cdn, now);
    writeRows(site.source, changes);
    const fault = faultAt({ nth, when, isFatal: true, error: () => new Error("killed") });
    const options = { now: () => now, only };
    // Each run begins when the claim of the one before, which died, has ended.
    const run = bakeOnce(site, cdn, options, (wired) => atEffects(fault, later(wired, at)));
    await unlessStruck(fault, run);
  }
  mendRows(site.source);
  await bakeOnce(site, cdn, { now: () => now }, (wired) => later(wired, history.length));

  expect(differences(shown(served(objects)), shown(await scratch(site, now)))).toEqual([]);
  expect(brokenLinks(objects)).toEqual([]);
  expect(cdn.stale()).toEqual([]);
  const again = await bakeOnce(site, cdn, { now: () => now }, (same) => same);
  expect(again.release).toBeUndefined();
}

/** A store that was adopted, and whose build has not ended since, must be adopted anew. */
async function wipeStore(
  site: SmallSite,
  cdn: CacheCdn,
  {
    objects,
    now,
    at,
  }: { readonly objects: Map<string, Artifact>; readonly now: number; readonly at: number },
): Promise<void> {
  objects.clear();
  await using wired = await openSmall(site, { ledger: "ledger.db", store: cdn.origin, cdn });
  if ((await wired.ledger.note(ADOPTION)) !== OPEN) return;
  await adopt(later(wired, at), { ...QUIET, now: () => now });
}

const QUIET = { signal: new AbortController().signal, emit: () => {}, onPrice: () => {} };

/** Nothing of the ledger is left but what was exported. */
async function loseLedger(site: SmallSite, cdn: CacheCdn, now: number): Promise<void> {
  const parts = { ledger: "ledger.db", store: cdn.origin, cdn };
  let history: readonly string[];
  {
    await using lost = await openSmall(site, parts);
    history = await Array.fromAsync(exportHistory(lost.ledger));
  }
  for (const end of ["", "-wal", "-shm"]) rmSync(`${site.dir}/ledger.db${end}`, { force: true });
  await using wired = await openSmall(site, parts);
  await adopt(wired, { ...QUIET, now: () => now });
  await importHistory(wired, history, "history");
}

async function bakeOnce(
  site: SmallSite,
  cdn: CacheCdn,
  options: Partial<BuildOptions>,
  rewire: (wired: Wired) => Wired,
) {
  await using wired = await openSmall(site, { ledger: "ledger.db", store: cdn.origin, cdn });
  return await bake(rewire(wired), options);
}
