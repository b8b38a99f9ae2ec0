import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporary } from "./fakes.ts";
import { command, ROOT } from "./nightbake.ts";

/** Files below a folder with their texts. */
function filesIn(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile() && !each.name.startsWith("."))
    .map((each) => join(each.parentPath, each.name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(name, "utf8")]));
}

test("releases are listed, compared, brought back and left again", async () => {
  const cwd = temporary();
  const config = ["--config", join(ROOT, "site.config.ts")];
  const at = (origin: string) => ({ cwd, env: { SITE_URL: origin } });
  const run = (...argv: string[]) => command([...argv, ...config], at("https://b.example"));
  await command(["bake", ...config], at("https://a.example"));
  const first = filesIn(join(cwd, "dist"));
  await run("build");
  expect(filesIn(join(cwd, "dist"))).not.toEqual(first);

  const listed = await run("releases");
  const json = await run("releases", "--limit", "1", "--json");
  const diff = await run("diff", "1", "2");
  const dry = await run("rollback", "1", "--dry-run");
  const back = await run("rollback", "1");

  expect(listed.out).toMatch(/^Release\s+When\s+Run\s+Created\s+Changed\s+Deleted\s+Restorable\n/);
  expect(listed.out).toMatch(/\n {6}1 .* build .* yes\n/);
  expect(JSON.parse(json.out)).toMatchObject({ event: "release", release: 2, isRestorable: true });
  expect(diff.out).toMatch(/^~ \w+ \S+ \/.* → .*, \w+/m);
  expect(diff.out).toMatch(/\n0 pages created, \d+ changed, 0 deleted\.\n$/);
  expect(dry).toMatchObject({ code: 0, out: expect.stringContaining("Nothing was changed.") });
  expect(back).toMatchObject({ code: 0, out: expect.stringContaining("is that of release 1") });
  expect(filesIn(join(cwd, "dist"))).toEqual(first);

  const held = await run("build");
  expect(held).toMatchObject({ code: 2, err: expect.stringContaining("publishing_held") });
  expect((await run("releases")).out).toContain("rollback to 1");
  expect((await run("resume")).out).toContain("held at release 1");
  expect((await run("resume")).out).toBe("Publishing was not held.\n");
  expect((await run("build")).code).toBe(0);
  expect(filesIn(join(cwd, "dist"))).not.toEqual(first);
});

test("a rollback that cannot be is refused with what is lost; numbers are checked", async () => {
  const cwd = temporary();
  const config = ["--config", join(ROOT, "site.config.ts")];
  const run = (origin: string, ...argv: string[]) =>
    command([...argv, ...config], { cwd, env: { SITE_URL: origin, NIGHTBAKE_KEEP_MB: "0" } });
  await run("https://a.example", "bake");
  await run("https://b.example", "build");

  const listed = await run("https://b.example", "releases");
  const refused = await run("https://b.example", "rollback", "1");
  const unknown = await run("https://b.example", "rollback", "7", "--json");
  const bad = await run("https://b.example", "diff", "1", "two");
  const swept = await run("https://b.example", "sweep");

  expect(listed.out).toContain("no: pages that release 2 replaced or deleted were not kept");
  expect(refused).toMatchObject({ code: 2, err: expect.stringMatching(/^release_lost: /m) });
  expect(JSON.parse(unknown.out)).toMatchObject({
    code: "config_invalid",
    hint: "There are 1 to 2.",
  });
  expect(bad).toMatchObject({ code: 2, err: expect.stringContaining("two is no number") });
  expect(swept).toMatchObject({ code: 0, out: "0 former versions of pages forgotten.\n" });
});
