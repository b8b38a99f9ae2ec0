import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporary } from "./fakes.ts";
import { command, ROOT } from "./nightbake.ts";

const ROUTE = "/articles/a-starter-is-a-schedule/";

/** The clone's own site, baked into a new folder, and `run` in it. */
async function bakedPlace() {
  const cwd = temporary();
  const run = (...argv: string[]) =>
    command([...argv, "--config", join(ROOT, "site.config.ts")], { cwd });
  await run("bake");
  const isThere = () => existsSync(join(cwd, `dist${ROUTE}index.html`));
  const home = () => readFileSync(join(cwd, "dist", "index.html"), "utf8");
  return { cwd, run, isThere, home };
}

test("a page is taken down, listed, exported, lifted and comes back as it was", async () => {
  const { cwd, run, isThere, home } = await bakedPlace();
  const before = home();

  const dry = await run("takedown", ROUTE, "--dry-run");
  expect([dry.code, isThere()]).toEqual([0, true]);
  expect(dry.out).toContain(`${ROUTE} (article 5) would be taken down.\n`);
  expect(dry.out).toMatch(/delete +barred/);

  const taken = await run("takedown", ROUTE, "--reason", "court order 12");
  expect([taken.code, isThere(), home().includes(ROUTE)]).toEqual([0, false, false]);
  expect(taken.out).toContain(`${ROUTE} (article 5) is taken down.\n`);
  expect((await run("takedown")).out).toMatch(
    /article 5\) since .*Z, because of: court order 12\n$/,
  );
  const listed = JSON.parse((await run("takedown", "list", "--json")).out);
  expect(listed).toMatchObject({ event: "barred", kind: "article", key: "5", state: "removed" });
  expect((await run("build")).out).toContain("Nothing changed.");

  await run("takedown", "export", "bars.ndjson");
  expect(JSON.parse(readFileSync(join(cwd, "bars.ndjson"), "utf8"))).toMatchObject({
    route: ROUTE,
  });
  const lifted = await run("takedown", "lift", ROUTE);
  expect([lifted.code, isThere(), home()]).toEqual([0, true, before]);
  expect((await run("takedown", "list")).out).toBe("Nothing is taken down.\n");
  const refused = await run("takedown", "import", "bars.ndjson", "--dry-run");
  expect([refused.code, isThere()]).toEqual([2, true]);
  expect(refused.err).toContain("--dry-run means nothing with takedown import.");
  const imported = await run("takedown", "import", "bars.ndjson");
  expect([imported.out, isThere()]).toEqual([
    "1 page taken down; the next build rebuilds what links there.\n",
    false,
  ]);
});

test("without rows the page goes all the same, and the code says what is left", async () => {
  const { cwd, run, isThere, home } = await bakedPlace();
  rmSync(join(cwd, ".nightbake", "source.db"));

  const { code, out, err } = await run("takedown", ROUTE, "--erase");

  expect([code, isThere()]).toEqual([3, false]);
  expect(out).toBe(`${ROUTE} (article 5) is taken down.\n`);
  expect(err).toContain("source_rejected");
  expect(err).toContain("what links to them is left to the next build");
  await run("bake");
  expect([isThere(), home().includes(ROUTE)]).toEqual([false, false]);
  expect((await run("takedown", "list")).out).toContain(", erased");
});

test("routes that are no page's, unknown actions and missing arguments change nothing", async () => {
  const { run, isThere } = await bakedPlace();

  const near = await run("takedown", ROUTE, `${ROUTE}x/`);
  const unknown = await run("takedown", "lsit");
  const missing = await run("takedown", "lift");
  const none = await run("takedown", "lift", ROUTE, "--json");

  expect([near, unknown, missing, none].map(({ code }) => code)).toEqual([2, 2, 2, 2]);
  expect([near.err.includes(`Did you mean ${ROUTE}?`), isThere()]).toEqual([true, true]);
  expect(unknown.err).toContain("Did you mean list?");
  expect(missing.err).toContain("ROUTE is missing.");
  expect(JSON.parse(none.out)).toMatchObject({ event: "error", code: "input_invalid" });
});
