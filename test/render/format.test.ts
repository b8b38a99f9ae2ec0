import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clock, date, longDate, plain, time } from "../../src/render/format.ts";

describe("dates", () => {
  test.each([
    [0, "1970-01-01T00:00:00Z", "1 January 1970", "00:00"],
    [-1, "1969-12-31T23:59:59Z", "31 December 1969", "23:59"],
    [951_782_399_999_999, "2000-02-28T23:59:59Z", "28 February 2000", "23:59"],
    [951_782_400_000_000, "2000-02-29T00:00:00Z", "29 February 2000", "00:00"],
    [253_402_300_800_000_000, "+010000-01-01T00:00:00Z", "1 January +010000", "00:00"],
  ])("%d µs is %s", (at, instant, words, minute) => {
    expect(time(at)).toBe(instant);
    expect(date(at)).toBe(instant.slice(0, -10));
    expect(longDate(at)).toBe(words);
    expect(clock(at)).toBe(minute);
  });

  test.each([Number.NaN, Number.MAX_VALUE])("%d is no instant", (at) => {
    expect(() => date(at)).toThrow(RangeError);
  });
});

describe("plain text", () => {
  test.each([
    ["short text stays", 20, "short text stays"],
    [" white \n\t space ", 20, "white space"],
    ["cut after a whole word", 12, "cut after a…"],
    ["no comma, before the dots", 10, "no comma…"],
    ["unbreakable", 5, "unbr…"],
    ["ab👩‍🍳cd", 6, "ab…"],
    ["aaa👍🏽", 6, "aaa…"],
    ["রুটি রুটি রুটি", 8, "রুটি…"],
    ["ক্ষকক্ষক", 4, "ক্ষ…"],
    ["", 5, ""],
  ])("%j in %d characters is %j", (text, max, cut) => {
    expect(plain(text, max)).toBe(cut);
  });

  test("is well-formed, one line, and no longer than asked for", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 40 }), (text, max) => {
        const cut = plain(text, max);

        expect(cut.length).toBeLessThanOrEqual(max);
        expect(cut.isWellFormed()).toBe(true);
        expect(cut).not.toMatch(/\n|^ | $/);
      }),
    );
  });
});
