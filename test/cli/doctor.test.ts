import { join } from "node:path";
import { expect, test } from "vitest";
import { temporary } from "./fakes.ts";
import { command, ROOT } from "./nightbake.ts";

const CONFIG = ["--config", join(ROOT, "site.config.ts")];

test("ends with 0 when nothing is a problem, and says what was not looked at", async () => {
  const cwd = temporary();
  await command(["load", join(ROOT, "content", "data"), ...CONFIG], { cwd });

  const { code, out } = await command(["doctor", ...CONFIG], { cwd });

  expect(out).toContain("\nembedded source\n  ok        tables: Every declared table is there");
  expect(out).toMatch(/\n0 problems, 0 warnings, 1 not looked at, 2 ok\.\n$/);
  expect(code).toBe(0);
});

test("ends with 1 when something is, told as JSON without the password", async () => {
  const env = { DATABASE_URL: "mysql://reader:hunter2@127.0.0.1:1/site" };

  const { code, out, err } = await command(["doctor", "--json", ...CONFIG], { env });

  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines[0]).toMatchObject({
    event: "finding",
    check: "connection",
    place: "primary 127.0.0.1:1/site",
    state: "problem",
    remedy: expect.stringContaining("DATABASE_URL"),
  });
  expect(lines.at(-1)).toMatchObject({ event: "diagnosed", problem: 1 });
  expect(code).toBe(1);
  expect(out + err).not.toContain("hunter2");
});
