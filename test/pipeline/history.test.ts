import fc from "fast-check";
import { expect, test } from "vitest";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { Artifact } from "../../src/site.ts";
import { type Change, change, DAY, START, writeRows } from "./rows.ts";
import { bake, openSmall, scratch, served, shown, smallSite } from "./small-site.ts";

/** Of the rows' changes and of the clock, in days. */
interface Moment {
  readonly changes: readonly Change[];
  readonly days: number;
}

const moment: fc.Arbitrary<Moment> = fc.record({
  changes: fc.array(change, { minLength: 1, maxLength: 6 }),
  days: fc.integer({ min: 0, max: 60 }),
});

const RUNS = Number(process.env["HISTORIES"] ?? 100);

test(`after each of ${RUNS} random histories the store equals a build from scratch, and only what differs was put`, async () => {
  const seed = Number(process.env["SEED"] ?? 20_261_123);
  console.info(`seed ${seed}`);
  await fc.assert(fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 6 }), check), {
    numRuns: RUNS,
    seed,
  });
}, 600_000);

async function check(history: readonly Moment[]): Promise<void> {
  await using site = await smallSite();
  const objects = new Map<string, Artifact>();
  const puts: string[] = [];
  const store = recording(objects, puts);
  let now = START;
  for (const { changes, days } of history) {
    now += days * DAY;
    writeRows(site.source, changes);
    const before = shown(served(objects));
    puts.length = 0;
    await using wired = await openSmall(site, { ledger: "ledger.db", store });
    await bake(wired, { now: () => now });
    const after = shown(served(objects));

    expect(after).toEqual(shown(await scratch(site, now)));
    const differing = Object.keys(after).filter((key) => after[key] !== before[key]);
    expect(puts.filter((key) => !key.startsWith(".")).sort()).toEqual(differing.sort());

    puts.length = 0;
    const again = await bake(wired, { now: () => now });
    expect({ puts, release: again.release }).toEqual({ puts: [], release: undefined });
  }
}

function recording(objects: Map<string, Artifact>, puts: string[]) {
  const store = memoryStore(objects);
  return {
    ...store,
    async put(artifact: Artifact) {
      puts.push(artifact.key);
      return await store.put(artifact);
    },
  };
}
