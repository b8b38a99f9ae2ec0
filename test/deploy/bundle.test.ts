import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../deploy/bundle.ts";
import { nightbake, ROOT } from "../cli/nightbake.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const run = promisify(execFile);
const BAKE = join(ROOT, "test/deploy/bake-child.ts");
/** Nothing of the repository is above it. */
const place = temporaryFolder("nightbake-bundle-");
const out = join(place, "aws");
let metafile: Awaited<ReturnType<typeof bundle>>;

beforeAll(async () => {
  metafile = await bundle({ out, entries: { bake: BAKE } });
});

/** Builds the demo site with this module in a process of its own. */
async function baked(module: string, config: string) {
  const home = temporaryFolder("nightbake-home-");
  const env = { PATH: "", NIGHTBAKE_HOME: home, OUT_DIR: join(home, "dist") };
  await nightbake(["load", join(ROOT, "content/data")], { env, cwd: ROOT });
  const { stdout } = await run(process.execPath, [module, config], { env, cwd: home });
  return { dist: env.OUT_DIR, ...JSON.parse(stdout) };
}

/** Digests of the pages and assets; the marker says whose they are. */
function filesOf(dir: string): ReadonlyMap<string, string> {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((each) => each.isFile() && each.name !== ".nightbake.json");
  return new Map(
    files.map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return [file.slice(dir.length), hash("sha256", readFileSync(file))];
    }),
  );
}

describe("a bundle", () => {
  test("has the functions, the site and what it was made of", () => {
    const names = readdirSync(out);

    expect(names).toEqual(
      expect.arrayContaining(["lambda.mjs", "site.config.mjs", "templates", "content"]),
    );
    expect(JSON.parse(readFileSync(join(out, "engine.json"), "utf8"))).toEqual({
      code: {
        site: expect.stringMatching(/^[0-9a-f]{32}$/),
        render: expect.any(String),
        source: expect.any(String),
        plan: expect.any(String),
      },
      lock: expect.any(String),
    });
  });

  test("has nothing that is there for development, or that no function does", () => {
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const packages = Object.keys(metafile.inputs).flatMap(
      (file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [],
    );
    const unwanted = [...Object.keys(devDependencies), "bullmq", "ioredis"];

    expect(packages).toContain("mysql2");
    expect(packages.filter((each) => unwanted.includes(each))).toEqual([]);
    const places = new Set(Object.keys(metafile.inputs).map((file) => file.split("/")[0]));
    expect([...places].sort()).toEqual(["node_modules", "site.config.ts", "src", "test"]);
  });

  test("makes the same pages as its sources, for the same code, with nothing beside it", async () => {
    const [bundled, plain] = await Promise.all([
      baked(join(out, "bake.mjs"), join(out, "site.config.mjs")),
      baked(BAKE, join(ROOT, "site.config.ts")),
    ]);

    expect(bundled).toEqual({ ...plain, dist: bundled.dist });
    expect(plain).toMatchObject({ failed: 0, code: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(plain.changed).toBeGreaterThan(10);
    expect(filesOf(bundled.dist)).toEqual(filesOf(plain.dist));
  });

  test("refuses to make pages when it does not know what it was made of", async () => {
    const copy = join(temporaryFolder("nightbake-bundle-"), "aws");
    cpSync(out, copy, { recursive: true });
    rmSync(join(copy, "engine.json"));

    const refused = await baked(join(copy, "bake.mjs"), join(copy, "site.config.mjs"));

    expect(refused).toMatchObject({ error: "config_invalid" });
  });

  test("of a changed line of the sources is another", async () => {
    const clone = temporaryFolder("nightbake-clone-");
    const parts = ["src", "deploy", "site.config.ts", "content", "templates", "package.json"];
    for (const each of [...parts, "package-lock.json"]) {
      cpSync(join(ROOT, each), join(clone, each), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(clone, "node_modules"));
    const bundled = async () => {
      await run(process.execPath, ["deploy/bundle.ts"], { cwd: clone });
      return JSON.parse(readFileSync(join(clone, ".build/aws/engine.json"), "utf8"));
    };

    const same = await bundled();
    appendFileSync(join(clone, "src/render/format.ts"), "// Nothing else.\n");
    const other = await bundled();

    expect(same).toEqual(JSON.parse(readFileSync(join(out, "engine.json"), "utf8")));
    expect(other).toEqual({
      ...same,
      code: { ...same.code, render: expect.not.stringMatching(same.code.render) },
    });
  });
});
