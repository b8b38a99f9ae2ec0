import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import { type Artifact, canonicalJson } from "../../src/site.ts";
import { isComparable } from "./comparable.ts";
import { type FileChange, fileChange, writeFiles } from "./files.ts";
import { dumpLedger } from "./ledger-dump.ts";
import {
  badChange,
  type Change,
  change,
  DAY,
  mendRows,
  postChange,
  START,
  writeRows,
} from "./rows.ts";
import {
  bake,
  openSmall,
  type SmallSite,
  scratch,
  served,
  shown,
  smallSite,
} from "./small-site.ts";

/** Of the rows' changes, of the files' and of the clock, in days; it may be set back. */
interface Moment {
  readonly changes: readonly Change[];
  readonly files: readonly FileChange[];
  readonly days: number;
}

interface History {
  /** Enough of them for archives. */
  readonly posts: readonly Change[];
  readonly moments: readonly Moment[];
}

const moment: fc.Arbitrary<Moment> = fc.record({
  changes: fc.array(
    fc.oneof({ weight: 20, arbitrary: change }, { weight: 1, arbitrary: badChange }),
    { minLength: 1, maxLength: 6 },
  ),
  files: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fileChange, { minLength: 1, maxLength: 2 }) },
  ),
  days: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 60 }) },
    { weight: 2, arbitrary: fc.constantFrom(0, 31) },
    { weight: 1, arbitrary: fc.integer({ min: -40, max: -1 }) },
  ),
});

const history: fc.Arbitrary<History> = fc.record({
  posts: fc.array(postChange, { maxLength: 24, size: "max" }),
  moments: fc.array(moment, { minLength: 1, maxLength: 5 }),
});

const RUNS = Number(process.env["HISTORIES"] ?? 100);

test(`after each of ${RUNS} random histories the store equals a build from scratch, and only what differs was put`, async () => {
  const seed = Number(process.env["SEED"] ?? 20_261_123);
  console.info(`seed ${seed}`);
  await fc.assert(fc.asyncProperty(history, check), {
    numRuns: RUNS,
    seed,
  });
}, 600_000);

async function check({ posts, moments }: History): Promise<void> {
  await using site = await smallSite();
  const recorded = recording();
  let [now, latest] = [START, START];
  writeRows(site.source, posts);
  for (const { changes, files, days } of moments) {
    now += days * DAY;
    latest = Math.max(latest, now);
    writeRows(site.source, changes);
    await writeFiles(site.dir, files);
    await checkMoment(site, recorded, now);
  }
  await checkIdle(site, recorded, now);
  mendRows(site.source);
  await writeFiles(site.dir, [{ file: "redirects.txt", mark: "" }]);
  expect(await checkMoment(site, recorded, latest + 2 * DAY)).toBe(0);
  expect(await checkIdle(site, recorded, latest + 2 * DAY)).toBeUndefined();
  // What was kept for readers of the day before is gone by then.
  const assets = [...recorded.objects.keys()].filter((key) => key.startsWith("assets/"));
  expect(assets).toHaveLength(1);
}

/** Builds and compares with a build from scratch, which knows no last good version of pages that fail. */
async function checkMoment(site: SmallSite, recorded: Recording, now: number): Promise<number> {
  const { store, objects, puts, late } = recorded;
  const before = shown(served(objects));
  recorded.forget();
  await using wired = await openSmall(site, { ledger: "ledger.db", store });
  const { failed, events } = await bake(wired, { now: () => now });
  const after = shown(served(objects));

  const name = `scratch-${now}-${Math.random()}.db`;
  const wanted = shown(await scratch(site, now, { ledger: name }));
  if (isComparable(events, objects)) {
    expect(withoutOldAssets(after, wanted)).toEqual(wanted);
    const differing = Object.keys(after).filter((key) => after[key] !== before[key]);
    expect(puts.filter((key) => !key.startsWith(".")).sort()).toEqual(differing.sort());
  }
  if (failed === 0) expect(known(site, "ledger.db")).toEqual(known(site, name));
  expect(late).toEqual([]);
  return failed;
}

/** Builds once more, which puts nothing. Gives the release: pages that fail are tried again. */
async function checkIdle(site: SmallSite, { store, puts, forget }: Recording, now: number) {
  forget();
  await using wired = await openSmall(site, { ledger: "ledger.db", store });
  const { release } = await bake(wired, { now: () => now });
  expect(puts).toEqual([]);
  return release;
}

/** Assets that were replaced stay for a day. */
function withoutOldAssets(
  after: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const kept = Object.entries(after).filter(
    ([key]) => !key.startsWith("assets/") || wanted[key] !== undefined,
  );
  return Object.fromEntries(kept);
}

/** What a ledger knows of rows, pages and who reads what, whatever runs led there. */
function known(site: SmallSite, ledger: string): unknown {
  const { nb_live, nb_row, nb_due, nb_reader } = dumpLedger(join(site.dir, ledger));
  // The last put and its cause depend on the runs.
  const pages = nb_live?.map((page) => canonicalJson({ ...page, release_id: 0, etag: null }));
  return { pages: pages?.sort(), nb_row, nb_due, nb_reader };
}

interface Recording {
  readonly store: ObjectStore;
  readonly objects: Map<string, Artifact>;
  readonly puts: string[];
  /** Keys put after something was deleted. */
  readonly late: string[];
  forget(): void;
}

function recording(): Recording {
  const objects = new Map<string, Artifact>();
  const [puts, late]: [string[], string[]] = [[], []];
  const inner = memoryStore(objects);
  let deletes = 0;
  const store: ObjectStore = {
    ...inner,
    async put(artifact) {
      puts.push(artifact.key);
      if (deletes > 0) late.push(artifact.key);
      return await inner.put(artifact);
    },
    async delete(keys) {
      deletes += keys.length;
      await inner.delete(keys);
    },
  };
  const forget = () => {
    puts.length = 0;
    late.length = 0;
    deletes = 0;
  };
  return { store, objects, puts, late, forget };
}
