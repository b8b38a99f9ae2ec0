import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporary } from "./fakes.ts";
import { command, ROOT } from "./nightbake.ts";

const LINE = '{"from":"/articles/old/","kind":"article","key":[1]}\n';

/** The clone's own site, baked into a new folder, and `run` in it. */
async function bakedPlace() {
  const cwd = temporary();
  const run = (...argv: string[]) =>
    command([...argv, "--config", join(ROOT, "site.config.ts")], { cwd });
  await run("bake");
  return { cwd, run };
}

test("an imported route history is built, listed and exported as it was", async () => {
  const { cwd, run } = await bakedPlace();
  writeFileSync(join(cwd, "history.ndjson"), LINE);

  const imported = await run("redirects", "import", "history.ndjson");
  const before = await run("redirects", "list");
  const { code } = await run("build");
  const listed = await run("redirects", "list", "--json");
  await run("redirects", "export", "copy.ndjson");

  expect(imported).toMatchObject({
    code: 0,
    out: "1 former route read; the next build makes the pages.\n",
  });
  expect(before.out).toBe("There is no redirect page.\n");
  expect(code).toBe(0);
  const to = "/articles/the-four-oclock-dough/";
  expect(JSON.parse(listed.out)).toEqual({ event: "redirect", from: "/articles/old/", to });
  expect(readFileSync(join(cwd, "copy.ndjson"), "utf8")).toBe(LINE);
  expect((await run("redirects", "export", "-")).out).toBe(LINE);
  const page = readFileSync(join(cwd, "dist/articles/old/index.html"), "utf8");
  expect(page).toContain(`<meta http-equiv="refresh" content="0; url=${to}">`);
  expect(page).toContain('<meta name="robots" content="noindex">');
  expect(page).toContain(`<link rel="canonical" href="https://example.com${to}">`);
});

test("a file with a bad line imports nothing and is told with the line's number", async () => {
  const { cwd, run } = await bakedPlace();
  writeFileSync(join(cwd, "history.ndjson"), `${LINE}{}\n`);

  const { code, err } = await run("redirects", "import", "history.ndjson");

  expect(code).toBe(2);
  expect(err).toContain("history.ndjson:2: Its from is no text.");
  expect((await run("redirects", "export", "-")).out).toBe("");
});

test("a file that cannot be used is told", async () => {
  const { cwd, run } = await bakedPlace();
  mkdirSync(join(cwd, "folder"));

  const read = await run("redirects", "import", "none.ndjson");
  const written = await run("redirects", "export", "folder");

  expect([read.code, written.code]).toEqual([2, 2]);
  expect(read.err).toMatch(/^input_invalid: .*none\.ndjson/);
  expect(written.err).toMatch(/^input_invalid: .*folder/);
});
