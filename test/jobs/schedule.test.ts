import { randomInt } from "node:crypto";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readCron } from "../../src/jobs/schedule-cron.ts";
import type { ScheduleConfig } from "../../src/jobs/schedule-entries.ts";
import { lastTick, ticksBetween, timesOf } from "../../src/jobs/schedule-ticks.ts";
import { zoneOf } from "../../src/jobs/schedule-zone.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openMysqlLedger } from "../../src/ledger/mysql.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { diceFrom } from "../race/dice.ts";
import { describeWith } from "../services/requires.ts";
import { sharedMariaDb } from "../services/shared.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { type Fate, runClones, type World } from "./schedule-world.ts";

const [HOUR, DAY] = [3_600_000, 86_400_000];
/** The build is in the hour that Berlin skips in spring and has twice in autumn. */
const CONFIG: ScheduleConfig = {
  scheduleBuild: "30 2 * * *",
  scheduleVerify: "15 */6 * * *",
  scheduleSweep: "0 * * * *",
  scheduleDue: "off",
  scheduleTimeZone: "Europe/Berlin",
};
const ENTRIES = [
  ["build", CONFIG.scheduleBuild],
  ["verify", CONFIG.scheduleVerify],
  ["sweep", CONFIG.scheduleSweep],
] as const;
const [SPRING, AUTUMN] = [Date.parse("2026-03-04T12:34Z"), Date.parse("2026-10-09T12:34Z")];

function timesFor(expression: string) {
  const [cron, zone] = [readCron(expression), zoneOf(CONFIG.scheduleTimeZone)];
  if (typeof cron === "string" || zone === undefined) throw new Error("no schedule");
  return timesOf(cron, zone);
}

/** The ticks that must have been asked for: each that was the last one when somebody first looked. */
function expectedTicks(expression: string, world: World, fromMs: number, toMs: number) {
  const times = timesFor(expression);
  return [...ticksBetween(times, fromMs + 5000, toMs - 5000)].filter((tick) => {
    const looks = world.lives
      .map((life) => ({ ...life, atMs: Math.max(tick - life.aheadMs, life.fromMs) }))
      .filter(({ atMs, toMs: end }) => atMs < end);
    const first = looks.reduce((a, b) => (b.atMs < a.atMs ? b : a), { atMs: Infinity, aheadMs: 0 });
    if (first.atMs > toMs - 5000) return false;
    return lastTick(times, tick - 1, first.atMs + first.aheadMs) === tick;
  });
}

async function check(ledger: Ledger, world: World, fromMs: number, toMs: number): Promise<number> {
  // A clone that was killed or suspended in the middle of its look has asked for some of what it saw.
  const broken = new Set(world.lives.flatMap((life) => [life.fromMs, life.toMs]));
  for (const [entry, expression] of ENTRIES) {
    const asked = world.asked.filter((each) => each.entry === entry);
    const ats = asked.map(({ at }) => at / 1000);
    const expected = expectedTicks(expression, world, fromMs, toMs);

    expect(ats).toEqual([...new Set(ats)].sort((a, b) => a - b));
    expect(expected.filter((tick) => !ats.includes(tick))).toEqual([]);
    const more = asked.filter(({ at }) => !expected.includes(at / 1000));
    expect(more.filter(({ askedMs }) => !broken.has(askedMs) && askedMs < toMs - 5000)).toEqual([]);
    for (const [index, { isJoined, askedMs }] of asked.entries()) {
      const before = world.ends.get(asked[index - 1]?.job ?? 0) ?? 0;
      if (before !== askedMs) expect(isJoined).toBe(before > askedMs);
    }
    const kept = await ledger.ticks(entry, 9999);
    expect(kept.map(({ at }) => at / 1000).toReversed()).toEqual(ats);
  }
  const own = world.asked.filter(({ isJoined }) => !isJoined);
  const jobs = await ledger.keptJobs({ limit: 9999 });
  expect(jobs.map(({ id }) => id).sort()).toEqual(own.map(({ job }) => job).sort());
  expect(jobs.filter(({ requests }) => requests !== 1)).toEqual([]);
  return own.length;
}

const CALM: Fate = { killed: 0, suspended: 0, awayMs: HOUR, jobMs: 50_000 };
const HARD: Fate = { killed: 0.05, suspended: 0.02, awayMs: 30 * HOUR, jobMs: 4 * HOUR };

describe("two clones on one ledger", () => {
  test.each([
    ["forward", SPRING],
    ["back", AUTUMN],
  ])("ask for every tick once, over a month in which clocks go %s", async (_, fromMs) => {
    const toMs = fromMs + 28 * DAY;
    await using ledger = await openSqliteLedger(":memory:");
    const of = { config: CONFIG, ledgers: [ledger, ledger], dice: diceFrom(1), fate: CALM };

    const world = await runClones(of, fromMs, toMs);

    for (const [entry, expression] of ENTRIES) {
      const ats = world.asked.flatMap((each) => (each.entry === entry ? each.at / 1000 : []));
      expect(ats).toEqual([...ticksBetween(timesFor(expression), fromMs, toMs)]);
    }
    expect(world.asked.filter(({ entry }) => entry === "build")).toHaveLength(28);
    expect(world.asked.filter(({ isJoined }) => isJoined)).toEqual([]);
  });

  test("ask for every tick once, and for the latest missed one, however they are killed", async () => {
    const seed = Number(process.env["SEED"] ?? randomInt(2 ** 31));
    console.info(`two clones of a schedule: SEED=${seed}`);
    const file = join(temporaryFolder("nightbake-schedule-"), "ledger.db");
    await using one = await openSqliteLedger(file);
    await using two = await openSqliteLedger(file);
    const [fromMs, toMs] = [SPRING + 10 * DAY, SPRING + 28 * DAY];
    const of = { config: CONFIG, ledgers: [one, two], dice: diceFrom(seed), fate: HARD };

    const world = await runClones(of, fromMs, toMs);

    expect(await check(one, world, fromMs, toMs)).toBeGreaterThan(10);
    expect(world.lives.length).toBeGreaterThan(4);
  });
});

describeWith("shared-mariadb", "two clones on a ledger in MariaDB", () => {
  test("ask for every tick once, however they are killed while clocks go back", async () => {
    const seed = Number(process.env["SEED"] ?? randomInt(2 ** 31));
    console.info(`two clones of a schedule on MariaDB: SEED=${seed}`);
    const url = await (await sharedMariaDb()).createDatabase();
    await using one = await openMysqlLedger(url);
    await using two = await openMysqlLedger(url);
    const [fromMs, toMs] = [AUTUMN + 14 * DAY, AUTUMN + 17 * DAY];
    const of = { config: CONFIG, ledgers: [one, two], dice: diceFrom(seed), fate: HARD };

    const world = await runClones(of, fromMs, toMs);

    expect(await check(one, world, fromMs, toMs)).toBeGreaterThan(3);
  });
});
