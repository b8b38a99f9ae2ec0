import { describe, expect, test } from "vitest";
import { readArgs } from "../../src/cli/args.ts";
import { PipelineError } from "../../src/error.ts";
import { nearest } from "../../src/nearest.ts";

const TAKES = {
  name: "load",
  positionals: ["DIR"],
  options: {
    "dry-run": { says: "" },
    out: { value: "DIR", says: "" },
    port: { value: "PORT", short: "p", says: "" },
    help: { short: "h", says: "" },
  },
};

/** `place: message` of each problem. */
function problems(...argv: string[]): string[] {
  try {
    readArgs(TAKES, argv);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return error.problems.map(({ place, message }) => `${place}: ${message}`);
  }
  return [];
}

test("switches, values in each spelling and arguments are read", () => {
  const args = readArgs(TAKES, ["--dry-run", "rows", "--out=a=b", "-p", "80"]);

  expect(args.positionals).toEqual(["rows"]);
  expect([args.has("dry-run"), args.has("help")]).toEqual([true, false]);
  expect([args.value("out"), args.value("port")]).toEqual(["a=b", "80"]);
});

test("the last value of an option counts", () => {
  expect(readArgs(TAKES, ["rows", "--out", "a", "--out", "b"]).value("out")).toBe("b");
});

test("what follows -- is an argument", () => {
  expect(readArgs(TAKES, ["--", "--out"]).positionals).toEqual(["--out"]);
});

test("help needs no argument", () => {
  expect(readArgs(TAKES, ["-h"]).has("help")).toBe(true);
});

describe("is refused, all of it at once", () => {
  test.each<[string[], string[]]>([
    [["rows", "--dryrun"], ["--dryrun: There is no such option. Did you mean --dry-run?"]],
    [["rows", "--xyzzy"], ["--xyzzy: There is no such option."]],
    [["rows", "-x"], ["-x: There is no such option."]],
    [["rows", "--constructor"], ["--constructor: There is no such option."]],
    [["rows", "--dry-run=no"], ["--dry-run: It takes no value."]],
    [["rows", "--out"], ["--out: It needs a value: --out DIR."]],
    [["rows", "--out="], ["--out: It needs a value: --out DIR."]],
    [["rows", "--out", "--dry-run"], ["--out: It needs a value: --out DIR."]],
    [[], ["DIR: It is missing."]],
    [["a", "b"], ["b: There is no place for this argument."]],
    [
      ["a", "b", "--prot", "1"],
      [
        "--prot: There is no such option. Did you mean --port?",
        "b: There is no place for this argument.",
        "1: There is no place for this argument.",
      ],
    ],
  ])("%j", (argv, expected) => {
    expect(problems(...argv)).toEqual(expected);
  });
});

describe("the nearest name", () => {
  test.each([
    ["biuld", "build"],
    ["Build", "build"],
    ["loda", "load"],
    ["prewiev", "preview"],
    ["deploy", undefined],
    ["", undefined],
  ])("to %j is %j", (wrong, name) => {
    expect(nearest(wrong, ["bake", "build", "load", "preview"])).toBe(name);
  });
});
