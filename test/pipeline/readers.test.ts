import fc from "fast-check";
import { expect, test } from "vitest";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { Artifact } from "../../src/site.ts";
import { cacheCdn } from "./cache-cdn.ts";
import { type FileChange, fileChange, writeFiles } from "./files.ts";
import { brokenLinks } from "./links.ts";
import { type Change, change, DAY, START, writeRows } from "./rows.ts";
import { bake, openSmall, scratch, served, smallSite } from "./small-site.ts";
import { seenThrough, watched } from "./watched.ts";

interface Moment {
  readonly changes: readonly Change[];
  readonly files: readonly FileChange[];
  readonly days: number;
}

const moment: fc.Arbitrary<Moment> = fc.record({
  changes: fc.array(change, { minLength: 1, maxLength: 6 }),
  files: fc.array(fileChange, { maxLength: 1 }),
  days: fc.integer({ min: 0, max: 60 }),
});

const RUNS = Number(process.env["HISTORIES"] ?? 50);

test(`at no operation of ${RUNS} random histories a link leads nowhere, through a cache or not`, async () => {
  const seed = Number(process.env["SEED"] ?? 5);
  console.info(`seed ${seed}`);
  await fc.assert(fc.asyncProperty(fc.array(moment, { minLength: 2, maxLength: 5 }), check), {
    numRuns: RUNS,
    seed,
  });
}, 600_000);

async function check(history: readonly Moment[]): Promise<void> {
  await using site = await smallSite();
  const objects = new Map<string, Artifact>();
  const held = new Map<string, Artifact>();
  let now = START;
  for (const { changes, files, days } of history) {
    now += days * DAY;
    writeRows(site.source, changes);
    await writeFiles(site.dir, files);
    // Readers come from where they were before and can be afterwards, and follow links from there.
    const after = await scratch(site, now);
    const known = [...served(objects).keys()].filter((key) => after.has(key));
    const cdn = cacheCdn(objects, memoryStore(objects), { held });
    const look = () => {
      expect(brokenLinks(objects, known)).toEqual([]);
      expect(brokenLinks(seenThrough(cdn, objects), known)).toEqual([]);
    };
    await using wired = await openSmall(site, {
      ledger: "ledger.db",
      store: watched(cdn.origin, look),
      cdn,
    });
    await bake(wired, { now: () => now });

    expect(brokenLinks(served(objects))).toEqual([]);
    expect(cdn.stale()).toEqual([]);
  }
}
