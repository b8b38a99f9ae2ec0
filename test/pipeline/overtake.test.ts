import fc from "fast-check";
import { expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import type { Overtake } from "../../src/pipeline/run.ts";
import type { Wired } from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { Artifact } from "../../src/site.ts";
import { isComparable } from "./comparable.ts";
import { brokenLinks } from "./links.ts";
import { change, DAY, REDIRECTS, START, TOPICS, writeRows } from "./rows.ts";
import { bake, differences, openSmall, scratch, served, shown, smallSite } from "./small-site.ts";
import { smallWorld, type World } from "./world.ts";

const RUNS = Number(process.env["HISTORIES"] ?? 25);

/** Every row that a history of `rows.ts` may touch. */
const TARGETS = [
  ...Array.from({ length: 12 }, (_, at) => `post:${at + 1}`),
  ...TOPICS.flatMap((topic) => Array.from({ length: 12 }, (_, at) => `topics:${topic},${at + 1}`)),
  ...["ann", "bob", "Ann"].map((handle) => `people:${handle}`),
  ...REDIRECTS.map((route) => `moved:${route}`),
];

/** Whoever is in a hurry waits until the build is over, or is refused by a guard. */
const REFUSED = new Set<string>(["run_conflict", "source_empty", "deletes_refused"]);

const changes = fc.array(change, { minLength: 1, maxLength: 6 });
/** Changes that an editor wants to see at the nth pause of a build. */
const hurry = fc.record({ at: fc.integer({ min: 1, max: 25 }), changes });
const moment = fc.record({
  changes,
  days: fc.integer({ min: 0, max: 60 }),
  hurries: fc.array(hurry, { maxLength: 3 }),
  /** Templates change, so that every page is rendered again. */
  isWhole: fc.boolean(),
});

test(`a build that is overtaken puts nothing older over what is there, and the site ends exact (${RUNS} histories)`, async () => {
  const seed = Number(process.env["SEED"] ?? 5);
  console.info(`seed ${seed}`);
  let passed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(moment, { minLength: 2, maxLength: 5 }), async (history) => {
      await using site = await smallSite();
      const objects = new Map<string, Artifact>();
      const store = memoryStore(objects);
      let now = START;
      let print = 0;
      for (const [at, { changes, days, hurries, isWhole }] of history.entries()) {
        now += days * DAY;
        writeRows(site.source, changes);
        await using opened = await openSmall(site, { ledger: "ledger.db", store });
        if (isWhole) print += 1;
        const wired = printed(opened, print);
        let pauses = 0;
        const fresh = new Map<string, string>();
        const onPause = async (overtake: Overtake) => {
          pauses += 1;
          for (const each of hurries.filter((one) => one.at === pauses)) {
            writeRows(site.source, each.changes);
            const before = new Map(Object.entries(shown(served(objects))));
            try {
              const { live } = await overtake({ targets: TARGETS, emit: () => {} });
              await live;
              passed += 1;
              for (const [key, text] of Object.entries(shown(served(objects)))) {
                if (before.get(key) !== text && !key.includes("sitemap")) fresh.set(key, text);
              }
            } catch (error) {
              if (!(error instanceof PipelineError) || !REFUSED.has(error.code)) throw error;
            }
          }
        };
        let { events } = await bake(wired, { now: () => now, ...(at > 0 && { onPause }) });
        const after = shown(served(objects));
        for (const [key, text] of fresh) {
          if (after[key] !== undefined) expect([key, after[key]]).toEqual([key, text]);
        }
        if (hurries.length > 0)
          ({ events } = await bake(wired, { now: () => now, targets: TARGETS, looksAgain: true }));
        if (!isComparable(events, objects)) continue;
        expect(brokenLinks(objects)).toEqual([]);
        expect(shown(served(objects))).toEqual(shown(await scratch(site, now)));
      }
      await using wired = await openSmall(site, { ledger: "ledger.db", store });
      await bake(printed(wired, print), { now: () => now });
      const verified = await bake(printed(wired, print), { now: () => now, isVerify: true });
      expect(verified).toMatchObject({ rendered: 0, changed: 0, deleted: 0 });
    }),
    { numRuns: RUNS, seed },
  );
  expect(passed).toBeGreaterThan(0);
}, 300_000);

/** Every page's making is another one for each `print`. */
function printed(wired: Wired, print: number): Wired {
  return {
    ...wired,
    fingerprint(kind) {
      const bytes = Buffer.from(wired.fingerprint(kind));
      bytes[0] = (bytes[0] ?? 0) ^ print;
      return bytes;
    },
  };
}

/** Builds a small world, and does each of `deeds` once: at the first pause at which it has something to do. */
async function overtaken(
  world: World,
  deeds: readonly ((overtake: () => Promise<void>) => Promise<boolean>)[],
) {
  const left = [...deeds];
  const onPause = async (overtake: Overtake) => {
    const pass = async () => {
      await (await overtake({ targets: TARGETS, emit: () => {} })).live;
    };
    if (await left[0]?.(pass)) left.shift();
  };
  await world.bake({ onPause });
  expect(left).toEqual([]);
}

const listed = (world: World, topic: string) =>
  world.shown()[`topics/${topic}/index.html`]?.includes("Title 2<") ?? false;

test("who overtakes a build takes back what the build has put of an older row", async () => {
  await using world = await smallWorld(4);
  world.edit(3, "topic", "y z");
  await world.bake();
  world.edit(2, "topic", "y z");

  await overtaken(world, [
    async (pass) => {
      if (!listed(world, "y z")) return false;
      world.edit(2, "topic", "X");
      await pass();
      expect([listed(world, "y z"), listed(world, "X")]).toEqual([false, true]);
      return true;
    },
  ]);
});

test("what was put of a row that changed once more is found by a second look", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  world.edit(4, "title", "By night");

  await overtaken(world, [
    async (pass) => {
      world.edit(2, "topic", "y z");
      await pass();
      // Nobody asks for this.
      world.edit(2, "topic", "X");
      return true;
    },
  ]);
  expect(listed(world, "y z")).toBe(true);
  await world.bake({ targets: TARGETS, looksAgain: true });

  expect(differences(world.shown(), await world.scratch())).toEqual([]);
});
