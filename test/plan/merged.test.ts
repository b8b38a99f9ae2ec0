import { expect, test } from "vitest";
import { merged } from "../../src/plan/merged.ts";

async function* of(...texts: readonly string[]): AsyncGenerator<string, void> {
  yield* texts;
}

test.each([
  ["none", [], []],
  ["none of several", [[], []], []],
  ["those of one", [["a", "b"]], ["a", "b"]],
  [
    "those of several, each once",
    [["a", "c", "e"], ["b", "c"], [], ["c", "d", "f"]],
    ["a", "b", "c", "d", "e", "f"],
  ],
  ["an empty text", [["", "a"], ["b"]], ["", "a", "b"]],
  // U+FF41 comes before U+1F600 by bytes, and after it by UTF-16 units.
  ["texts in the order of their bytes", [["\u{1f600}"], ["\uff41"]], ["\uff41", "\u{1f600}"]],
])("merges %s", async (_, sources, all) => {
  expect(await Array.fromAsync(merged(sources.map((each) => of(...each))))).toEqual(all);
});
