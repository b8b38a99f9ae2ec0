import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporary } from "./fakes.ts";
import { started } from "./nightbake.ts";

/** `nightbake rebuild …` where there are rows, as far as a look at the folder can tell. */
async function rebuild(args: readonly string[], input = "") {
  const cwd = temporary();
  mkdirSync(join(cwd, ".nightbake"));
  writeFileSync(join(cwd, ".nightbake", "source.db"), "");
  const { child, ended } = started(["rebuild", ...args], { cwd });
  child.stdin?.end(input);
  return await ended;
}

test("--at is refused when it is no position", async () => {
  const { code, err } = await rebuild(["article:1", "--at", "0-1-8"]);

  expect(code).toBe(2);
  expect(err).toContain("input_invalid");
});

test("the last position of the standard input's records is one that is read at", async () => {
  const record = (position: string) => `{"table":"articles","key":1,"position":"${position}"}\n`;

  const { code, err } = await rebuild(["-"], record("mariadb:0-1-8") + record("mariadb:lost"));

  expect(code).toBe(2);
  expect(err).toContain("position=mariadb:lost");
});
