import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { JobRequest } from "../../src/jobs/job.ts";
import type { Wired } from "../../src/pipeline.ts";
import { differences } from "../pipeline/small-site.ts";
import { smallWorld } from "../pipeline/world.ts";
import { startWorking } from "./working.ts";

const NIGHTLY: JobRequest = { work: { is: "build", allowDeletes: true }, lane: "nightly" };
const EDITOR: JobRequest = {
  work: { is: "rebuild", targets: ["posts:2", "topics:x,2"] },
  lane: "editor",
};

/** The pipeline whose first put waits until it is let go on. */
function holding(wired: Wired) {
  const gate = Promise.withResolvers<void>();
  const first = Promise.withResolvers<void>();
  const store: Wired["store"] = {
    ...wired.store,
    async put(...of) {
      first.resolve();
      await gate.promise;
      return await wired.store.put(...of);
    },
  };
  return { wired: { ...wired, store }, begun: first.promise, goOn: () => gate.resolve() };
}

test("an editor's rebuild passes a nightly build, and is looked at again after it", async () => {
  await using world = await smallWorld(8);
  await world.bake();
  for (const id of [1, 3, 4, 5]) world.edit(id, "title", "By night");
  await world.with(async (opened) => {
    const { wired, begun, goOn } = holding(opened);
    await using working = startWorking(wired);
    const { job: nightly } = await working.jobs.submit(NIGHTLY);
    await begun;
    world.edit(2, "title", "In a hurry");

    const { job: editor } = await working.jobs.submit(EDITOR);
    // A build does not look for others all the time.
    await sleep(50);
    goOn();
    const [last, first] = [await working.ended(nightly.id), await working.ended(editor.id)];

    expect([last.state, first.state]).toEqual(["done", "done"]);
    // The build ends with a look at what changed meanwhile, which is a release of its own.
    expect(first.outcome?.releases).toEqual([2]);
    expect(last.outcome?.releases).toEqual([2, 3]);
    expect(first.finishedAt).toBeLessThanOrEqual(last.finishedAt ?? 0);
    const names = first.outcome?.pages.map(({ url }) => url) ?? [];
    expect(names).toContain("https://small.example/notes/2/");
    const again = async () => (await working.jobs.list({ lane: "live", limit: 9 }))[0];
    for (let job = await again(); job?.state !== "done"; job = await again()) await sleep(10);
    expect((await again())?.work).toMatchObject({
      targets: ["posts:2", "topics:x,2"],
      looksAgain: true,
    });
  });
  world.now = Date.now() * 1000;
  expect(world.shown()["notes/2/index.html"]).toContain("In a hurry");
  expect(differences(world.shown(), await world.scratch())).toEqual([]);
});

test("what takes a look at every page waits until the build is over", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  world.edit(1, "title", "By night");
  await world.with(async (opened) => {
    const { wired, begun, goOn } = holding(opened);
    await using working = startWorking(wired);
    const { job: nightly } = await working.jobs.submit(NIGHTLY);
    await begun;
    const { job: whole } = await working.jobs.submit({
      work: { is: "rebuild", targets: [], everything: true },
      lane: "editor",
    });
    goOn();

    const [last, next] = [await working.ended(nightly.id), await working.ended(whole.id)];

    expect(next.startedAt).toBeGreaterThanOrEqual(last.finishedAt ?? 0);
  });
});

test("what joined a rebuild after it was chosen is not left out of it", async () => {
  await using world = await smallWorld(4);
  await world.bake();
  world.edit(1, "title", "By night");
  await world.with(async (opened) => {
    const { wired, begun, goOn } = holding(opened);
    let join: (() => Promise<unknown>) | undefined;
    const ledger: Wired["ledger"] = {
      ...wired.ledger,
      async changeJob(...of) {
        const joining = join;
        join = undefined;
        await joining?.();
        return await wired.ledger.changeJob(...of);
      },
    };
    await using working = startWorking({ ...wired, ledger });
    const { job: nightly } = await working.jobs.submit(NIGHTLY);
    await begun;
    const { job: editor } = await working.jobs.submit(EDITOR);
    await sleep(50);
    join = () =>
      working.jobs.submit({
        work: { is: "rebuild", targets: [], everything: true },
        lane: "editor",
      });
    goOn();

    const [last, whole] = [await working.ended(nightly.id), await working.ended(editor.id)];

    expect(whole).toMatchObject({ requests: 2, state: "done", work: { everything: true } });
    expect(whole.startedAt).toBeGreaterThanOrEqual(last.finishedAt ?? 0);
  });
});
