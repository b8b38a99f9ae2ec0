import fc from "fast-check";
import { expect, test } from "vitest";
import type { PlannedStep, RunEvent } from "../../src/events.ts";
import { address } from "../../src/site.ts";
import { dumpLedger } from "./ledger-dump.ts";
import { change, writeRows } from "./rows.ts";
import { smallWorld } from "./world.ts";

function stepsOf(events: readonly RunEvent[]): readonly PlannedStep[] {
  return events.flatMap((event) => (event.event === "step" ? [event.step] : []));
}

test("tells every step with its reason and changes neither store nor ledger", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.edit(1, "title", "New");
  world.sql("DELETE FROM posts WHERE id = 2");
  world.post(4);
  world.edit(3, "slug", "moved");
  const before = [world.shown(), dumpLedger(`${world.site.dir}/ledger.db`)];

  const { events, release, changed, deleted } = await world.bake({ isDryRun: true });

  expect([world.shown(), dumpLedger(`${world.site.dir}/ledger.db`)]).toEqual(before);
  expect({ release, changed, deleted }).toEqual({ release: undefined, changed: 0, deleted: 2 });
  const told = stepsOf(events).filter(({ kind }) => kind === "post" || kind === "home");
  expect(told.map((step) => `${step.action} ${step.route} ${step.phase}: ${step.reason}`)).toEqual([
    "update / lists: list:posts/#newest3",
    "update /posts/p1/ changed: row:posts/1",
    "delete /posts/p2/ deletes: gone",
    "update /posts/moved/ new: route",
    "create /posts/p4/ new: absent",
  ]);
});

test("of a site that is as it should be tells nothing", async () => {
  await using world = await smallWorld(3);
  await world.bake();

  const { events } = await world.bake({ isDryRun: true });

  expect(events.map(({ event }) => event).filter((each) => each === "step")).toEqual([]);
});

test("foresees the puts and deletes of the run that follows", async () => {
  const histories = fc.array(fc.array(change, { minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(fc.asyncProperty(histories, foresees), {
    numRuns: Number(process.env["HISTORIES"] ?? 25),
    seed: Number(process.env["SEED"] ?? 7),
  });
}, 600_000);

async function foresees(history: readonly Parameters<typeof writeRows>[1][]): Promise<void> {
  const puts: string[] = [];
  await using world = await smallWorld(2, {
    wrap: (store) => ({
      ...store,
      async put(artifact, write) {
        puts.push(artifact.key);
        return await store.put(artifact, write);
      },
    }),
  });
  for (const changes of history) {
    writeRows(world.site.source, changes);
    const steps = stepsOf((await world.bake({ isDryRun: true })).events);
    const keys = (action: string) =>
      steps.filter((step) => step.action === action).map(({ route }) => address(route).key);
    const before = Object.keys(world.shown());
    puts.length = 0;

    await world.bake();

    const after = Object.keys(world.shown());
    // That a page in it has another last change is known of a sitemap only once that page is made.
    const put = puts.filter((key) => !key.startsWith(".") && !key.startsWith("sitemaps/"));
    const moved = steps.filter(({ reason }) => reason === "route").map(({ kind }) => kind);
    const gone = before.filter((key) => !after.includes(key));
    expect([...keys("create"), ...keys("update")]).toEqual(expect.arrayContaining(put));
    expect(puts).toEqual(expect.arrayContaining(keys("create")));
    expect(after.filter((key) => keys("delete").includes(key) && !puts.includes(key))).toEqual([]);
    expect(gone.length).toBeLessThanOrEqual(keys("delete").length + moved.length);
  }
}

test("foresees what a run that was cut off left undone", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.edit(2, "title", "New");
  const cut = world.bake({}, (wired) => ({
    ...wired,
    store: { ...wired.store, put: () => Promise.reject(new Error("cut off")) },
  }));
  await expect(cut).rejects.toThrow("cut off");
  world.edit(2, "title", "Title 2");
  const before = [world.shown(), dumpLedger(`${world.site.dir}/ledger.db`)];

  const { events } = await world.bake({ isDryRun: true });

  expect([world.shown(), dumpLedger(`${world.site.dir}/ledger.db`)]).toEqual(before);
  expect(events).toContainEqual({
    event: "note",
    message: "4 puts of a run that was cut off are done again.",
  });
  expect(stepsOf(events).map(({ route, reason }) => `${route} ${reason}`)).toEqual([
    "/notes/2/ unfinished",
    "/posts/p1/ unfinished",
    "/posts/p2/ unfinished",
    "/posts/p3/ unfinished",
  ]);
});

test("of a wiped store foresees every put and changes nothing", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  const all = Object.keys(world.shown()).length;
  world.objects.clear();
  const before = dumpLedger(`${world.site.dir}/ledger.db`);

  const { events } = await world.bake({ isDryRun: true });

  expect(stepsOf(events).map(({ reason }) => reason)).toEqual(Array(all).fill("store"));
  expect(world.objects.size).toBe(0);
  expect(dumpLedger(`${world.site.dir}/ledger.db`)).toEqual(before);
});
