import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDateTime, parseDateTime, parseIso } from "../../src/source/instant.ts";

test("every microsecond of the years 1685 to 2254 is read as it was written", () => {
  const instants = fc.integer({ min: -8_993_721_600_000_000, max: 8_993_721_599_999_999 });
  fc.assert(
    fc.property(instants, (instant) => {
      const written = formatDateTime(instant);
      expect(parseDateTime(written)).toBe(instant);
      expect(parseIso(`${written.replace(" ", "T")}Z`)).toBe(instant);
    }),
  );
});

test.each([
  ["1000-01-01 00:00:00", -30_610_224_000_000_000],
  ["1969-12-31 23:59:59.9", -100_000],
  ["2024-02-29 23:59:59.000001", 1_709_251_199_000_001],
  ["9999-12-31 23:59:59", 253_402_300_799_000_000],
  ["9999-12-31 23:59:59.999999", undefined],
  ["0000-00-00 00:00:00", undefined],
  ["0999-12-31 00:00:00", undefined],
  ["2023-02-29 00:00:00", undefined],
  ["2024-13-01 00:00:00", undefined],
  ["2024-01-01 24:00:00", undefined],
  ["2024-01-01", undefined],
  ["2024-01-01 00:00:00.0000001", undefined],
])("%s is the instant %s", (text, instant) => {
  expect(parseDateTime(text)).toBe(instant);
});

test.each(["2024-01-01T00:00:00", "2024-01-01T00:00:00+01:00", "2024-01-01 00:00:00Z", "now"])(
  "%s is no instant of an input file",
  (text) => {
    expect(parseIso(text)).toBeUndefined();
  },
);
