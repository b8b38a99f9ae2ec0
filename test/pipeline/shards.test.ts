import { expect, test } from "vitest";
import { type BuildOptions, CREW, type CrewTerms } from "../../src/pipeline.ts";
import { randomFrom } from "../services/random.ts";
import { help, openProcess } from "./crews.ts";
import { bake, differences } from "./small-site.ts";
import { smallWorld, type World } from "./world.ts";

const SEED = Number(process.env["SEED"] ?? 20_261_124);
const HISTORIES = Number(process.env["HISTORIES"] ?? 2);

interface Case {
  readonly terms: CrewTerms;
  readonly delayMs: number;
  readonly stallMs?: number;
  readonly random: () => number;
  /** Killed before these of its calls. */
  readonly deaths: readonly (number | undefined)[];
  /** Done again and again while the run goes on. */
  readonly edit?: () => void;
  readonly onPause?: BuildOptions["onPause"];
}

/** One build with helpers; gives how many shards those did. */
async function bakeTogether(
  world: World,
  { terms, delayMs, stallMs = 0, random, deaths, edit, onPause }: Case,
) {
  const { site, store } = world;
  const over = new AbortController();
  await using coordinator = await openProcess(site, store, { random, delayMs, stallMs });
  await using helpers = new AsyncDisposableStack();
  const helping = [];
  for (const diesAt of deaths) {
    const helper = helpers.use(
      await openProcess(site, store, { random, delayMs, stallMs, diesAt }),
    );
    const work = help(helper, terms, over.signal);
    helping.push(diesAt === undefined ? work : Promise.race([work, died(over.signal)]));
  }
  const wired = { ...coordinator.wired, crew: terms };
  const editing = edit === undefined ? undefined : setInterval(edit, 2);
  try {
    const summary = await bake(wired, { now: () => world.now, onPause });
    over.abort();
    return { summary, shards: await Promise.all(helping) };
  } finally {
    clearInterval(editing);
    over.abort();
    await Promise.all(helping);
  }
}

/** A dead process never says that it has ended. */
async function died(over: AbortSignal): Promise<number> {
  await new Promise((resolve) => over.addEventListener("abort", resolve));
  return 0;
}

test("several processes publish one run, and all that it tells is told as by one", async () => {
  await using world = await smallWorld(40);
  const random = randomFrom(SEED);
  const terms = { ...CREW, pages: 3, pollMs: 1 };

  const { summary, shards } = await bakeTogether(world, {
    ...{ terms, random, delayMs: 2 },
    deaths: [undefined, undefined],
  });

  expect(differences(world.shown(), await world.scratch())).toEqual([]);
  await using alone = await smallWorld(40);
  const expected = await alone.bake();
  expect(summary.kinds).toEqual(expected.kinds);
  expect(summary.causes).toEqual(expected.causes);
  expect(Math.min(...shards)).toBeGreaterThan(0);
});

test(
  "whoever dies or is slow, and however often a shard is worked on at once, the store is what one process makes",
  async () => {
    console.info(`seed ${SEED}`);
    const random = randomFrom(SEED);
    const pick = <T>(...of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
    const done: number[] = [];
    for (let history = 0; history < HISTORIES; history += 1) {
      await using world = await smallWorld(12);
      for (let run = 0; run < 3; run += 1) {
        for (let edits = 0; edits < 12; edits += 1) change(world, random);
        const isEdited = run === 1;
        const { shards } = await bakeTogether(world, {
          random,
          ...{ delayMs: pick(0, 2), stallMs: pick(0, 60) },
          terms: { pages: pick(1, 2, 5), leaseMs: pick(40, 80, 400), pollMs: 1 },
          deaths: [undefined, pick(undefined, Math.floor(random() * 200))],
          ...(isEdited && { edit: () => change(world, random) }),
        });
        done.push(...shards);
        if (isEdited) await world.bake();
        expect(
          differences(world.shown(), await world.scratch()),
          `history ${history}, run ${run}`,
        ).toEqual([]);
      }
    }
    console.info(`${done.reduce((sum, each) => sum + each, 0)} shards by helpers`);
    expect(Math.max(...done)).toBeGreaterThan(0);
  },
  60_000 * HISTORIES,
);

test("what others are in a hurry for passes a build on which several processes work", async () => {
  console.info(`seed ${SEED}`);
  const random = randomFrom(SEED + 1);
  const topics = ["v0", "v1", "v2", "x"];
  const targets = Array.from({ length: 12 }, (_, at) => at + 1).flatMap((id) => [
    `posts:${id}`,
    ...topics.map((topic) => `topics:${topic},${id}`),
  ]);
  let passed = 0;
  for (let run = 0; run < 6; run += 1) {
    await using world = await smallWorld(12);
    await world.bake();
    for (let edits = 0; edits < 12; edits += 1) change(world, random);
    let left = 2;
    const { shards } = await bakeTogether(world, {
      ...{ random, delayMs: 1, deaths: [undefined, undefined] },
      terms: { pages: 1, leaseMs: 400, pollMs: 1 },
      async onPause(overtake) {
        if (left === 0 || random() > 0.3) return;
        left -= 1;
        change(world, random);
        const { live } = await overtake({ targets, emit: () => {} });
        await live;
        passed += 1;
      },
    });
    await world.bake({ targets, looksAgain: true });
    expect(differences(world.shown(), await world.scratch()), `run ${run}`).toEqual([]);
    expect(shards.length).toBe(2);
  }
  expect(passed).toBeGreaterThan(0);
});

function change(world: World, random: () => number): void {
  const id = 1 + Math.floor(random() * 12);
  const column = ["title", "author", "topic", "slug"][Math.floor(random() * 4)] as string;
  const value =
    column === "slug" ? `s${id}-${Math.floor(random() * 2)}` : `v${Math.floor(random() * 3)}`;
  world.edit(id, column, value);
}

/** One build all of whose shards a helper does, who reads its rows after `meanwhile`. */
async function bakeByHelper(world: World, meanwhile: () => void) {
  const options = { random: () => 1, delayMs: 0, stallMs: 0 };
  const terms = { ...CREW, pages: 2, pollMs: 1 };
  const over = new AbortController();
  await using coordinator = await openProcess(world.site, world.store, options);
  await using helper = await openProcess(world.site, world.store, options);
  let helping: Promise<number> | undefined;
  const ledger = {
    ...coordinator.wired.ledger,
    async openCrew(run: string, brief: string) {
      if (helping === undefined) meanwhile();
      await coordinator.wired.ledger.openCrew(run, brief);
      helping ??= help(helper, terms, over.signal);
    },
    takeShard: async () => undefined,
  };
  await bake({ ...coordinator.wired, ledger, crew: terms }, { now: () => world.now });
  over.abort();
  expect(await helping).toBeGreaterThan(0);
}

test("a row that was another for a moment while a helper read it leaves no page as it was then", async () => {
  await using world = await smallWorld(12);
  await bakeByHelper(world, () => world.edit(5, "title", "Other"));
  expect(world.shown()["posts/p5/index.html"]).toContain("Other");
  world.edit(5, "title", "Title 5");

  await world.bake();

  expect(differences(world.shown(), await world.scratch())).toEqual([]);
});

test("what helpers made is looked at by the next build, and by no other", async () => {
  await using world = await smallWorld(12);
  await bakeByHelper(world, () => {});
  const left = () => world.ledger((ledger) => ledger.rebuilt(undefined, 1_000));
  const before = (await left()).length;

  const { release } = await world.bake();

  expect(before).toBeGreaterThan(0);
  expect(release).toBeUndefined();
  expect(await left()).toEqual([]);
});
