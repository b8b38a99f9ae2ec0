import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { openLoad } from "../../src/wiring.ts";
import { corpus } from "../corpus.ts";
import { temporaryFolder } from "../services/daemon.ts";
import type { RenderAsked, RenderTold } from "./render-child.ts";

const CHILD = fileURLToPath(new URL("render-child.ts", import.meta.url));
const SITE = fileURLToPath(new URL("../../site.config.ts", import.meta.url));
const DEMO = fileURLToPath(new URL("../../content/data", import.meta.url));
const ARTICLES = 500;

/** Where and when a child renders. No row of either site begins or ends between the two times. */
interface World {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly concurrency: number;
  readonly clockMs: number;
}

const HERE: World = {
  args: ["--random-seed=1"],
  env: { LANG: "en_US.UTF-8", LC_ALL: "en_US.UTF-8", TZ: "America/Anchorage" },
  concurrency: 32,
  clockMs: Date.UTC(2026, 10, 1, 12),
};
/** Its capital i has a dot, and its day is another. */
const ELSEWHERE: World = {
  args: ["--random-seed=2"],
  env: { LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8", TZ: "Pacific/Kiritimati" },
  concurrency: 3,
  clockMs: Date.UTC(2029, 1, 28, 23, 59, 59),
};

const dir = temporaryFolder("deterministic");
afterAll(() => rmSync(dir, { recursive: true }));

describe.each([
  ["the demo site", async () => DEMO, 50],
  [`${ARTICLES} articles of the corpus`, slice, 900],
] as const)("%s", (name, rows, leastPages) => {
  test("is the same, byte for byte, at another time and place, from rows in another order", async () => {
    const [one, other] = await sources(join(dir, name), await rows());

    const here = await render(one, HERE);
    const elsewhere = await render(other, ELSEWHERE);

    expect(here.around).toMatchObject({ locale: "en-US", zone: "America/Anchorage", year: 2026 });
    expect(elsewhere.around).toMatchObject({
      locale: "tr-TR",
      zone: "Pacific/Kiritimati",
      year: 2029,
    });
    expect(elsewhere.around.chance).not.toBe(here.around.chance);
    expect(Object.keys(here.objects).length).toBeGreaterThan(leastPages);
    expect(elsewhere.objects).toEqual(here.objects);
    expect(elsewhere.live).toEqual(here.live);
    expect(elsewhere.failed).toEqual(here.failed);
  }, 180_000);
});

/** Two folders with the same rows, the second with every table written in another order. */
async function sources(home: string, rows: string): Promise<readonly [string, string]> {
  const [one, other] = [join(home, "one"), join(home, "other")];
  for (const folder of [one, other]) mkdirSync(folder, { recursive: true });
  const env = { NIGHTBAKE_HOME: one };
  const config = readConfig({ env, cwd: one, options: { config: SITE } });
  await using load = await openLoad(config);
  await load.run(rows, {});
  const database = new DatabaseSync(config.sourceFile);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  copyFileSync(config.sourceFile, join(other, "source.db"));
  reorder(join(other, "source.db"));
  return [one, other];
}

/** Writes the rows anew in an order that is neither theirs nor its reverse, and JSON with spaces. */
function reorder(file: string): void {
  const database = new DatabaseSync(file);
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const order = (name: string) => {
    const first = database.prepare(`SELECT * FROM "${name}" LIMIT 3`).all();
    return JSON.stringify(first);
  };
  for (const name of tables.map((each) => String(each["name"]))) {
    const before = order(name);
    database.exec(`CREATE TEMP TABLE moved AS SELECT * FROM "${name}";
      DELETE FROM "${name}";
      INSERT INTO "${name}" SELECT * FROM moved ORDER BY rowid * 7919 % 1013 DESC, rowid DESC;
      DROP TABLE moved`);
    expect(order(name)).not.toBe(before);
  }
  database.exec("UPDATE articles SET tags = json_pretty(tags)");
  database.close();
}

async function render(home: string, world: World): Promise<RenderTold> {
  const { concurrency, clockMs } = world;
  const asked: RenderAsked = { home, configFile: SITE, concurrency, clockMs };
  const env = { PATH: process.env["PATH"] ?? "", ...world.env };
  const child = spawn(process.execPath, [...world.args, CHILD], { cwd: home, env });
  child.stdin.end(JSON.stringify(asked));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (out === "") throw new Error(`The child told nothing:\n${err}`);
  return JSON.parse(out) as RenderTold;
}

/** Every eighth article of the corpus, with all users and with what was done to those articles. */
async function slice(): Promise<string> {
  const rows = join(dir, "rows");
  mkdirSync(rows);
  const all = await Array.fromAsync(corpus<{ readonly slug: string }>("articles"));
  const articles = all.filter((_, at) => at % 8 === 0).slice(0, ARTICLES);
  const slugs = new Set(articles.map(({ slug }) => slug));
  const activities = await Array.fromAsync(corpus<{ readonly object_slug: string }>("activities"));
  write("articles", articles);
  write("users", await Array.fromAsync(corpus("users")));
  write(
    "activities",
    activities.filter((each) => slugs.has(each.object_slug)),
  );
  expect(articles).toHaveLength(ARTICLES);
  return rows;

  function write(table: string, lines: readonly unknown[]): void {
    const file = join(rows, `${table}.ndjson`);
    writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }
}
