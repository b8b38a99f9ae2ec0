import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporary } from "./fakes.ts";
import { command, ROOT } from "./nightbake.ts";

test("the quarantine is listed, exported and imported", async () => {
  const cwd = temporary();
  const run = (...argv: string[]) =>
    command([...argv, "--config", join(ROOT, "site.config.ts")], { cwd });
  await run("bake");

  const listed = await run("quarantine");
  const json = await run("quarantine", "list", "--json");
  const written = await run("quarantine", "export", "held.ndjson");
  const read = await run("quarantine", "import", "held.ndjson");

  expect(listed).toMatchObject({ code: 0, out: "No page fails.\n" });
  expect(json).toMatchObject({ code: 0, out: "" });
  expect(written.code).toBe(0);
  expect(readFileSync(join(cwd, "held.ndjson"), "utf8")).toBe("");
  expect(read.out).toBe("0 pages live as they were; the next build tries them.\n");
});

test("a bad line, an unknown action and a missing file are told", async () => {
  const cwd = temporary();
  const run = (...argv: string[]) =>
    command([...argv, "--config", join(ROOT, "site.config.ts")], { cwd });
  await run("bake");
  writeFileSync(join(cwd, "held.ndjson"), "{}\n");

  const bad = await run("quarantine", "import", "held.ndjson");
  const unknown = await run("quarantine", "exprot", "x");
  const missing = await run("quarantine", "export");

  expect([bad.code, unknown.code, missing.code]).toEqual([2, 2, 2]);
  expect(bad.err).toContain("held.ndjson:1: The site has no kind undefined.");
  expect(unknown.err).toContain("Did you mean export?");
  expect(missing.err).toContain("FILE is missing.");
});
