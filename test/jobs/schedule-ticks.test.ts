import { describe, expect, test } from "vitest";
import { type Cron, readCron } from "../../src/jobs/schedule-cron.ts";
import {
  lastTick,
  nextTick,
  type Times,
  ticksBetween,
  timesOf,
} from "../../src/jobs/schedule-ticks.ts";
import { type Zone, zoneOf } from "../../src/jobs/schedule-zone.ts";

const HOUR = 3_600_000;

function times(expression: string, zone = "Europe/Berlin"): Times {
  return timesOf(readCron(expression) as Cron, zoneOf(zone) as Zone);
}

/** The ticks of a span of time, in UTC. */
function ticks(of: Times, from: string, to: string): readonly string[] {
  const [fromMs, toMs] = [Date.parse(`${from}Z`), Date.parse(`${to}Z`)];
  return [...ticksBetween(of, fromMs, toMs)].map((ms) => new Date(ms).toISOString().slice(5, 16));
}

describe("ticks", () => {
  test("are at the wall-clock time of the zone, in winter and in summer", () => {
    expect(ticks(times("0 3 * * *"), "2026-03-27T12:00", "2026-03-30T12:00")).toEqual([
      "03-28T02:00",
      "03-29T01:00",
      "03-30T01:00",
    ]);
  });

  test("of a skipped time come once, at the moment of the change", () => {
    expect(ticks(times("30 2 * * *"), "2026-03-28T00:00", "2026-03-30T12:00")).toEqual([
      "03-28T01:30",
      "03-29T01:00",
      "03-30T00:30",
    ]);
  });

  test("of a doubled time come once, at its first moment", () => {
    expect(ticks(times("30 2 * * *"), "2026-10-24T12:00", "2026-10-26T12:00")).toEqual([
      "10-25T00:30",
      "10-26T01:30",
    ]);
  });

  test("that name every hour go by real hours", () => {
    const doubled = ticks(times("*/30 * * * *"), "2026-10-24T23:45", "2026-10-25T02:15");
    const skipped = ticks(times("*/30 * * * *"), "2026-03-29T00:15", "2026-03-29T01:45");

    expect(doubled).toEqual(["00:00", "00:30", "01:00", "01:30", "02:00"].map((t) => `10-25T${t}`));
    expect(skipped).toEqual(["00:30", "01:00", "01:30"].map((t) => `03-29T${t}`));
  });

  test("of named hours pause in a doubled hour, and of two skipped times only one comes", () => {
    const doubled = ticks(times("0,30 2-3 * * *"), "2026-10-24T12:00", "2026-10-25T12:00");
    const skipped = ticks(times("0,30 2-3 * * *"), "2026-03-28T12:00", "2026-03-29T12:00");

    expect(doubled).toEqual(["00:00", "00:30", "02:00", "02:30"].map((t) => `10-25T${t}`));
    expect(skipped).toEqual(["01:00", "01:30"].map((t) => `03-29T${t}`));
  });

  test.each([
    ["half an hour, in Lord Howe", "Australia/Lord_Howe", "15 2 * * *", "2026-10-03T15:30"],
    ["midnight, in Santiago", "America/Santiago", "15 0 * * *", "2026-09-06T04:00"],
    ["a whole day, in Apia", "Pacific/Apia", "0 12 * * *", "2011-12-30T10:00"],
  ])("are there where a clock skips %s", (_, zone, expression, change) => {
    const near = Date.parse(`${change}Z`);
    const found = [...ticksBetween(times(expression, zone), near - 13 * HOUR, near + 13 * HOUR)];

    expect(found).toContain(near);
  });

  test.each([
    ["0 12 L * *", ["03-31T10:00", "04-30T10:00", "05-31T10:00"]],
    ["0 12 1 * mon", ["06-01T10:00"]],
    ["0 12 1-7 * fri", ["04-03T10:00", "05-01T10:00", "06-05T10:00"]],
    ["@monthly", ["03-31T22:00", "04-30T22:00", "05-31T22:00"]],
  ])("of %s are on the days that it names", (expression, expected) => {
    expect(ticks(times(expression), "2026-03-15T00:00", "2026-06-20T00:00").slice(0, 3)).toEqual(
      expected,
    );
  });

  test("are found from both sides, each exactly once, around every change of clocks", () => {
    const zones = ["Europe/Berlin", "America/Sao_Paulo", "America/St_Johns", "Africa/Casablanca"];
    const expressions = ["*/20 * * * *", "*/20 22,23,0-3 * * *", "45 23 * * *"];
    const changes = ["2018-02-18", "2018-11-04", "2026-03-08", "2026-03-29", "2026-10-25"];

    for (const each of expressions.flatMap((text) => zones.map((zone) => times(text, zone)))) {
      for (const day of changes) {
        const from = Date.parse(day) - 20 * HOUR;
        const all = [...ticksBetween(each, from, from + 72 * HOUR)];
        const back = all.map((tick) => lastTick(each, from, tick + 1000));
        const before = all.map((tick) => lastTick(each, from, tick - 1));

        expect(all).toEqual([...new Set(all)].sort((a, b) => a - b));
        expect(back).toEqual(all);
        expect(before).toEqual([undefined, ...all.slice(0, -1)]);
      }
    }
  });

  test("that never come are told", () => {
    const now = Date.parse("2026-11-23");

    expect(nextTick(times("0 0 29 2 sun"), now)).toBe(Date.parse("2032-02-28T23:00Z"));
    expect(nextTick(times("0 0 1 * 1#2"), now)).toBeUndefined();
    expect(lastTick(times("0 3 * * *"), now, now)).toBeUndefined();
  });
});

describe("an expression", () => {
  test.each(["", "0 3", "0 25 * * *", "0 3 30 2 *", "@reboot", "a b c d e"])(
    "such as %o is refused with the reason",
    (expression) => {
      expect(readCron(expression)).toMatch(/^It is no expression of cron: .+\.$/);
    },
  );

  test("of six fields is refused: no page is built each second", () => {
    expect(readCron("* * * * * *")).toMatch(/five fields/);
  });

  test("leaves nothing behind in node-cron", async () => {
    const { getTasks } = await import("node-cron");
    readCron("0 3 * * *");

    expect(getTasks().size).toBe(0);
  });
});

test("a zone that does not exist is undefined", () => {
  expect(zoneOf("Europe/Atlantis")).toBeUndefined();
});
