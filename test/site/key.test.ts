import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeKey, encodeKey, type Key, keyName } from "../../src/site.ts";

const wholeNumber = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -300, max: 300 }));
const part = fc.oneof(wholeNumber, fc.string({ unit: "binary" }));

test("a key comes back as it was", () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 3 }), (key) => {
      expect(decodeKey(encodeKey(key))).toEqual(key);
    }),
  );
});

test("64-bit keys come back as bigint", () => {
  const key = [9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n];

  expect(decodeKey(encodeKey(key))).toEqual(key);
});

test("encodings order like the numbers", () => {
  fc.assert(
    fc.property(wholeNumber, wholeNumber, (a, b) => {
      expect(Math.sign(Buffer.compare(encodeKey([a]), encodeKey([b])))).toBe(Math.sign(a - b));
    }),
  );
});

test("encodings order like the text's UTF-8 bytes, part by part", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, text, text, (a, b, c) => {
      const [x, y] = [encodeKey([a, c]), encodeKey([b, a])];
      const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
      const expected = bytes === 0 ? Buffer.compare(Buffer.from(c), Buffer.from(a)) : bytes;

      expect(Buffer.compare(x, y)).toBe(expected);
    }),
  );
});

test("a shorter key sorts before those it begins", () => {
  const keys: Key[] = [["a"], ["a", "2024", 1], ["a", "2024", 2], ["a", "2025", 1], ["b"]];

  expect([...keys].reverse().map(encodeKey).sort(Buffer.compare).map(decodeKey)).toEqual(keys);
});

test("a key's name cannot be taken for another's", () => {
  expect(keyName(["a,b", 1])).toBe("a%2Cb,1");
  expect(keyName(["a", "b", 1])).toBe("a,b,1");
});
