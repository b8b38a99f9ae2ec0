import { join } from "node:path";
import { expect, test } from "vitest";
import { openLanes } from "../../src/follow/lanes.ts";
import { openMass } from "../../src/follow/mass.ts";
import { openTurns, type Turns } from "../../src/follow/turns.ts";
import type { Lane, Ledger, Told } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { encodeKey, int, table } from "../../src/site.ts";
import type { Change } from "../../src/source/feed.ts";
import { temporary } from "../cli/fakes.ts";

const told = (lane: Lane, first: number, count = 1): readonly Told[] =>
  Array.from({ length: count }, (_, at) => {
    return { table: "posts", lane, key: encodeKey([first + at]), committedAt: first };
  });
const opened = () => openSqliteLedger(join(temporary(), "ledger.db"));

/** Takes turns and heeds them; gives `lane count` of each. */
async function taken(turns: Turns, ledger: Ledger, count: number): Promise<readonly string[]> {
  const names: string[] = [];
  for (let at = 0; at < count; at += 1) {
    const turn = await turns.next();
    names.push(turn === undefined ? "rest" : `${turn.lane} ${turn.told.length}`);
    if (turn !== undefined) await ledger.heed(turn.told);
  }
  return names;
}

test("an editor's change goes before the next slice of a mass update", async () => {
  await using ledger = await opened();
  const turns = openTurns(ledger, 10);
  await ledger.tell([...told("bulk", 100, 25), ...told("urgent", 900)], "a");

  expect(await taken(turns, ledger, 2)).toEqual(["urgent 1", "bulk 10"]);
  await ledger.tell(told("urgent", 901), "b");
  expect(await taken(turns, ledger, 4)).toEqual(["urgent 1", "bulk 10", "bulk 5", "rest"]);
});

test("what waits in the background gets on under a steady stream of changes", async () => {
  await using ledger = await opened();
  const turns = openTurns(ledger, 10);
  await ledger.tell([...told("bulk", 100, 25), ...told("compare", 1), ...told("compare", 2)], "a");
  const names: string[] = [];
  for (let at = 0; at < 26; at += 1) {
    await ledger.tell(told("urgent", 900 + at), `b${at}`);
    names.push(...(await taken(turns, ledger, 1)));
  }

  const background = names.filter((each) => !each.startsWith("urgent"));
  expect(background).toEqual(["compare 1", "bulk 10", "compare 1", "bulk 10", "bulk 5"]);
  expect(names.slice(0, 5)).toEqual([...Array(4).fill("urgent 1"), "compare 1"]);
});

test("the rows of one transaction go together, and slices become what fits their time", async () => {
  await using ledger = await opened();
  const turns = openTurns(ledger);
  for (let at = 0; at < 9; at += 1) await ledger.tell(told("urgent", 100 * at + 1, 80), `${at}`);

  expect(await taken(turns, ledger, 3)).toEqual(["urgent 480", "urgent 240", "rest"]);
  await ledger.tell(told("bulk", 10_000, 12_000), "b");
  const sizes: number[] = [];
  for (const ms of [100, 400, 2_000, 60_000, 60_000, 60_000, 60_000]) {
    const turn = await turns.next();
    if (turn === undefined) break;
    sizes.push(turn.told.length);
    turns.took(turn, ms);
  }
  expect(sizes).toEqual([250, 500, 625, 156, 100, 100, 100]);
});

const posts = table("posts", { key: "id", columns: { id: int() } });
const tags = table("tags", { key: "id", columns: { id: int() } });
const image = { key: [1], row: { id: 1 } } as const;
const updates = (count: number, of = posts): readonly Change[] =>
  Array.from({ length: count }, (_, at) => {
    return { is: "row", table: of, key: [at], before: image, after: image };
  });

test("large transactions are bulk, and so are many small ones that are alike, for a while", () => {
  let now = 0;
  const laneOf = openLanes(() => now);

  expect([laneOf(updates(100)), laneOf(updates(101))]).toEqual(["urgent", "bulk"]);
  for (let at = 0; at < 40; at += 1) laneOf(updates(10));
  expect(laneOf(updates(1))).toBe("bulk");
  expect(laneOf([...updates(1), ...updates(1, tags)])).toBe("urgent");
  expect(laneOf([{ is: "row", table: posts, key: [1], before: undefined, after: image }])).toBe(
    "urgent",
  );
  now = 10_001;
  expect(laneOf(updates(1))).toBe("urgent");
});

test("what slices deleted counts together until nothing is left of a mass update", async () => {
  await using ledger = await opened();
  await ledger.tell(told("bulk", 1, 2), "a");
  await openMass(ledger).add(3);
  await openMass(ledger).add(4);

  expect(await openMass(ledger).deleted()).toBe(7);
  await ledger.heed(await ledger.told(2));
  await openMass(ledger).add(1);
  expect(await openMass(ledger).deleted()).toBe(0);
});
