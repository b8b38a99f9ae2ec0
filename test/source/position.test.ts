import { expect, test } from "vitest";
import { covers } from "../../src/source/position.ts";

const [A, B] = ["3e11fa47-71ca-11e1-9e33-c80aa9429562", "4e11fa47-71ca-11e1-9e33-c80aa9429562"];

test.each([
  ["mariadb:0-1-9", "mariadb:0-1-9", true],
  ["mariadb:0-2-10", "mariadb:0-1-9", true],
  ["mariadb:0-1-8", "mariadb:0-1-9", false],
  ["mariadb:0-1-18446744073709551615", "mariadb:0-1-18446744073709551614", true],
  ["mariadb:1-1-9", "mariadb:0-1-9", false],
  ["mariadb:0-1-9", `mysql:${A}:1-3`, false],
  ["mariadb:", "mariadb:0-1-1", false],
  [`mysql:${A}:1-9`, `mysql:${A}:1-8`, true],
  [`mysql:${A}:1-9`, `mysql:${A.toUpperCase()}:5`, true],
  [`mysql:${A}:1-3:5-9`, `mysql:${A}:2-3:6-9`, true],
  [`mysql:${A}:1-3:5-9`, `mysql:${A}:3-5`, false],
  [`mysql:${A}:1-9`, `mysql:${A}:1-9,${B}:1`, false],
  [`mysql:${A}:1-9,${B}:1-2`, `mysql:${B}:2`, true],
  [`mysql:${A}:1-9:tag:1-2`, `mysql:${A}:tag:2`, true],
  [`mysql:${A}:1-9`, `mysql:${A}:tag:2`, false],
])("%s covers %s: %s", (position, other, expected) => {
  expect(covers(position, other)).toBe(expected);
});
