import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporary } from "./fakes.ts";
import { command, type Ended, ROOT, started } from "./nightbake.ts";

// The whole path with real adapters: the clone's own site, its state and output in a new folder.

const SITE = ["--config", join(ROOT, "site.config.ts")];
const DATA = join(ROOT, "content", "data");

/** A folder to run in, and `run` in it. */
function place() {
  const cwd = temporary();
  const run = (...argv: string[]): Promise<Ended> => command([...argv, ...SITE], { cwd });
  return { cwd, run, dist: join(cwd, "dist") };
}

/** Every file below a folder: `name size mtime`, to see that nothing was written. */
function files(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => {
      const { size, mtimeNs } = statSync(join(folder, name), { bigint: true });
      return `${name} ${size} ${mtimeNs}`;
    })
    .sort();
}

/** Name and content of every file below a folder. */
function contents(folder: string): ReadonlyMap<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name))
    .sort();
  return new Map(names.map((name) => [name.slice(folder.length), readFileSync(name, "latin1")]));
}

/** Folder with `count` articles and no other rows. */
function rows(count: number, title = "Title"): string {
  const dir = temporary();
  const [first = ""] = readFileSync(join(DATA, "articles.ndjson"), "utf8").split("\n", 1);
  const sample = JSON.parse(first) as object;
  const lines = Array.from({ length: count }, (_, nth) =>
    JSON.stringify({
      ...sample,
      id: nth + 1,
      slug: `article-${nth + 1}`,
      title: `${title} ${nth}`,
    }),
  );
  writeFileSync(join(dir, "articles.ndjson"), `${lines.join("\n")}\n`);
  for (const name of ["users", "activities", "friendships"]) {
    writeFileSync(join(dir, `${name}.ndjson`), readFileSync(join(DATA, `${name}.ndjson`)));
  }
  return dir;
}

describe("bake", () => {
  test("makes the site from nothing, and a second run writes nothing", async () => {
    const { run, dist } = place();

    const first = await run("bake");
    const before = files(dist);
    const second = await run("bake");

    expect(first).toMatchObject({ code: 0 });
    expect(first.out).toMatch(/^article +\d+/m);
    expect(first.err).toContain("npm run preview");
    expect(readFileSync(join(dist, "index.html"), "utf8")).toContain("<h1");
    expect(second.code).toBe(0);
    expect(second.out).toContain("Nothing changed.");
    expect(files(dist)).toEqual(before);
  });

  test("never loads over rows that the user has loaded", async () => {
    const { run } = place();
    await run("load", rows(3));

    const { code, out, err } = await run("bake");

    expect(code).toBe(0);
    expect(err).toContain("The embedded source holds rows that you loaded");
    expect(out).toMatch(/^article +3 /m);
  });

  test("makes a wiped output folder whole again", async () => {
    const { run, dist } = place();
    await run("bake");
    const before = contents(dist);
    rmSync(dist, { recursive: true });

    const { code } = await run("bake");

    expect(code).toBe(0);
    expect([...contents(dist).keys()]).toEqual([...before.keys()]);
  });
});

describe("build", () => {
  test("puts only what an edit reaches", async () => {
    const { run, dist } = place();
    await run("load", rows(3));
    await run("build");
    const before = new Set(files(dist));
    await run("load", rows(3, "Other title"));

    const { code } = await run("build");

    const put = files(dist).filter((each) => !before.has(each));
    expect(code).toBe(0);
    expect(contents(dist).get("/articles/article-1/index.html")).toContain("Other title 0");
    expect(put.join("\n")).toMatch(/^articles\/article-1\/index\.html /m);
    expect(put.join("\n")).not.toMatch(/robots|assets|activity/);
  });

  test("--dry-run prints each step with its reason and writes nothing", async () => {
    const { run, cwd } = place();
    await run("load", rows(3));

    const { code, out } = await run("build", "--dry-run");

    expect(code).toBe(0);
    expect(out).toMatch(/^Route +Action +Reason$/m);
    expect(out).toMatch(/^\/articles\/article-1\/ +create +absent$/m);
    expect(out).toContain("nothing was written");
    expect(readdirSync(cwd)).not.toContain("dist");
  });

  test("--only of an unknown kind names the nearest", async () => {
    const { run } = place();
    await run("load", rows(1));

    const { code, err } = await run("build", "--only", "artcle");

    expect(code).toBe(2);
    expect(err).toContain("Did you mean article?");
  });

  test("without rows says how to get some", async () => {
    const { code, err } = await place().run("build");

    expect(code).toBe(2);
    expect(err).toContain("npm run bake");
  });

  test("with a bad row ends with 1, names the page and builds the rest", async () => {
    const { run, dist } = place();
    const dir = rows(3);
    const file = join(dir, "articles.ndjson");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace('"slug":"article-2"', '"slug":"../../escape"'));
    await run("load", dir);

    const { code, err } = await run("build");

    expect(code).toBe(1);
    expect(err).toMatch(/article 2 route_invalid/);
    expect([...contents(dist).keys()]).toContain("/articles/article-3/index.html");
  });

  test("stopped by Ctrl-C ends with 3 and says what is left; the next run completes it", async () => {
    const [cut, whole] = [place(), place()];
    const dir = rows(1500);
    await Promise.all([cut.run("load", dir), whole.run("load", dir)]);
    const { child, ended } = started(["build", "--json", ...SITE], { cwd: cut.cwd });
    child.stdout?.on("data", (text: string) => {
      if (text.includes('"event":"phase","phase":"new"')) child.kill("SIGINT");
    });

    const stopped = await ended;
    const again = await cut.run("build");
    await whole.run("build");

    expect(stopped.code).toBe(3);
    expect(stopped.out).toContain('"code":"interrupted"');
    expect(stopped.out).toMatch(/"event":"stopped","message":"Stopped at .*\d left/);
    expect(again.code).toBe(0);
    expect(pages(cut.dist)).toEqual(pages(whole.dist));
  });
});

describe("load", () => {
  test("says what it did to each table, and the second time that there was nothing to do", async () => {
    const { run } = place();
    const dir = rows(3);

    const first = await run("load", dir);
    const second = await run("load", dir);

    expect([first.code, second.code]).toEqual([0, 0]);
    expect(first.out).toMatch(/^articles +3 +0 +0 +0$/m);
    expect(second.out).toMatch(/^articles +0 +0 +0 +3$/m);
  });

  test("of a folder that is not there changes nothing", async () => {
    const { code, err } = await place().run("load", "missing");

    expect(code).toBe(2);
    expect(err).toMatch(/^input_invalid: There is no such folder/);
  });

  test("of a malformed file names its line", async () => {
    const { run } = place();
    const dir = temporary();
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "articles.ndjson"), '{"id":1}\n{"id":\n');

    const { code, err } = await run("load", dir);

    expect(code).toBe(2);
    expect(err).toMatch(/^input_invalid: /);
    expect(err).toContain("articles.ndjson:2");
  });
});

/** Contents of a site without the marker, which names its ledger. */
function pages(dist: string): readonly (readonly [string, string])[] {
  return [...contents(dist)].filter(([name]) => !name.split("/").some((each) => /^\./.test(each)));
}
