import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporary } from "./fakes.ts";
import { command, nightbake, ROOT, started } from "./nightbake.ts";

const COMMANDS = [
  "bake",
  "preview",
  "build",
  "plan",
  "apply",
  "why",
  "affects",
  "due",
  "load",
  "redirects",
  "config",
];

test("--version prints the release of package.json", async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    version: string;
  };

  expect(await nightbake(["--version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
});

test.each([["--help"], ["help"], [""]])(
  "%s prints the commands and the exit codes",
  async (word) => {
    const { code, out } = await command(word ? [word] : []);

    expect(code).toBe(0);
    for (const name of COMMANDS) expect(out).toMatch(new RegExp(`^ {2}${name}\\b`, "m"));
    expect(out).toContain("3  stopped half-way");
  },
);

test.each(COMMANDS)("%s --help has options and examples, and help says the same", async (name) => {
  const [{ code, out }, help] = await Promise.all([
    command([name, "--help"]),
    command(["help", name]),
  ]);

  expect(code).toBe(0);
  expect(out).toContain("\nOptions:\n");
  expect(out).toContain(`\nExamples:\n  nightbake ${name}`);
  expect(help.out).toBe(out);
});

describe("is refused with exit code 2 and the nearest name:", () => {
  test.each([
    [["biuld"], "Did you mean build?"],
    [["--verison"], "Did you mean --version?"],
    [["build", "--dryrun"], "--dryrun: There is no such option. Did you mean --dry-run?"],
    [["load"], "DIR: It is missing."],
    [["redirects"], "ACTION: It is missing."],
    [["redirects", "exprot"], "There is no action exprot. Did you mean export?"],
    [["redirects", "import", "a", "b"], "b: There is no place for this argument."],
  ])("%j", async (argv, told) => {
    const { code, out, err } = await command(argv);

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^config_invalid: /);
    expect(err).toContain(told);
  });

  test("a setting", async () => {
    const env = { NIGHTBAKE_HOEM: "x", DATABASE_URL: "mysql://u:s3cret@" };

    const { code, err } = await command(["config"], { env });

    expect(code).toBe(2);
    expect(err).toContain("NIGHTBAKE_HOEM: There is no such setting. Did you mean NIGHTBAKE_HOME?");
    expect(err).toContain("DATABASE_URL: It must be a URL");
    expect(err).not.toContain("s3cret");
  });
});

test("with --json an error is a line of standard output", async () => {
  const { code, out, err } = await command(["build", "--json"]);

  expect({ code, err }).toEqual({ code: 2, err: "" });
  expect(JSON.parse(out)).toMatchObject({ event: "error", code: "source_rejected" });
});

test("colours are written when forced, and never under NO_COLOR", async () => {
  const forced = await nightbake(["biuld"], { env: { FORCE_COLOR: "1" } });
  const never = await nightbake(["biuld"], { env: { NO_COLOR: "1" } });

  expect(forced.err).toContain("\x1b[");
  expect(never.err).not.toContain("\x1b[");
});

test("a reader that goes away is no error", async () => {
  const { child, ended } = started(["--help"]);
  child.stdout?.destroy();

  expect(await ended).toMatchObject({ code: 0, err: "" });
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s ends the preview with exit code 0",
  async (signal) => {
    const cwd = temporary();
    mkdirSync(join(cwd, "dist"));
    writeFileSync(join(cwd, "dist", "index.html"), "<h1>Home</h1>");
    const { child, ended } = started(["preview"], { cwd });
    const [url] = (await once(child.stdout ?? child, "data")) as [string];
    // A connection that stays open does not hold it up.
    const body = await (await fetch(url.trim())).text();

    child.kill(signal);

    expect(body).toBe("<h1>Home</h1>");
    expect(await ended).toMatchObject({ code: 0 });
  },
);

test("config shows settings with their origin, .env among them, and no secret", async () => {
  const cwd = temporary();
  writeFileSync(join(cwd, ".env"), "DATABASE_URL=mysql://bake:s3cret@db/blog\n");

  const { code, out } = await nightbake(["config", "--out", "public"], { cwd });

  expect(code).toBe(0);
  expect(out).toMatch(/^DATABASE_URL +mysql:\/\/bake:\*\*\*@db\/blog +\.env$/m);
  expect(out).toMatch(/^OUT_DIR +\S+public +option$/m);
});
