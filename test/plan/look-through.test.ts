import { expect, test } from "vitest";
import { usesOf } from "../../src/plan/basis.ts";
import { lookThrough } from "../../src/plan/look-through.ts";
import { scanTable } from "../../src/plan/scan.ts";
import { decodeKey, encodeKey, keyName } from "../../src/site.ts";
import { type Random, randomFrom } from "../services/random.ts";
import { drop, post, posts, postsWorld, put, telling } from "./plan-site.ts";
import { finishPlan, type PlanWorld } from "./plan-world.ts";
import { summed } from "./summed.ts";

const SIZE = 4;

async function know(world: PlanWorld): Promise<void> {
  await world.plan("scan", async (plain) => {
    const own = summed(telling(plain).context, SIZE);
    const options = { onRows: () => {}, trustsSums: true };
    for (const use of usesOf(own)) await scanTable(use, own, options);
    await finishPlan(own, {});
  });
}

/** Looks the keys after one up to another through, in as many goes as `stops` says; gives what differs. */
async function differing(
  world: PlanWorld,
  [after, upTo]: readonly (number | undefined)[],
  stops: () => boolean = () => false,
): Promise<readonly string[]> {
  return await world.plan("look", async (plain) => {
    const own = summed(telling(plain).context, SIZE);
    const [use] = usesOf(own).filter(({ table }) => table === posts);
    const keyOf = (id: number | undefined) => (id === undefined ? undefined : encodeKey([id]));
    const found: string[] = [];
    let rest: { after: Uint8Array | undefined; upTo: Uint8Array | undefined } | undefined;
    rest = { after: keyOf(after), upTo: keyOf(upTo) };
    while (use !== undefined && rest !== undefined) {
      for await (const each of lookThrough(use, own, rest)) {
        found.push(...each.keys.map((key) => keyName(decodeKey(key))));
        rest = each.rest;
        if (stops()) break;
      }
    }
    return found;
  });
}

const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);

test("finds what changed, came and went among the keys, and nothing else", async () => {
  await using world = await postsWorld(upTo(30));
  await know(world);
  put(world, posts, [post(3, { title: "x" }), post(12, { title: "x" }), post(40)]);
  drop(world, 20, 29, 30);

  expect(await differing(world, [undefined, undefined])).toEqual([
    "3",
    "12",
    "20",
    "29",
    "30",
    "40",
  ]);
  expect(await differing(world, [3, 20])).toEqual(["12", "20"]);
  expect(await differing(world, [12, 19])).toEqual([]);
  expect(await differing(world, [29, undefined])).toEqual(["30", "40"]);
  expect(await differing(world, [60, 70])).toEqual([]);
});

test("finds the same in any number of goes", async () => {
  const seed = Date.now() % 1_000_000;
  console.log(`Seed ${seed}`);
  const random = randomFrom(seed);
  for (let history = 0; history < 6; history += 1) {
    await using world = await postsWorld(upTo(60));
    await know(world);
    const some = () => upTo(70).filter(() => random() < 0.15);
    put(
      world,
      posts,
      some().map((id) => post(id, { title: "x" })),
    );
    drop(world, ...some());
    const all = await differing(world, [undefined, undefined]);
    const bound = (r: Random) => (r() < 0.3 ? undefined : Math.floor(r() * 70));
    const [after, last] = [bound(random), bound(random)];
    const own = all.filter((id) => Number(id) > (after ?? 0) && Number(id) <= (last ?? 99));

    const found = await differing(world, [after, last], () => random() < 0.5);

    // What was looked at when a go ended is looked at again.
    expect([...new Set(found)], `history ${history}`).toEqual(own);
  }
});
