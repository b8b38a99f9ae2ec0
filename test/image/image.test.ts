import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { ROOT } from "../cli/nightbake.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { copied, isSent, type Stage, stages } from "./image.ts";

const [PACKAGES, LAST] = stages() as [Stage, Stage];
/** What Debian calls nobody. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

function json(file: string) {
  return JSON.parse(readFileSync(join(ROOT, file), "utf8"));
}

/** Files of the repository's folder, whoever put them there; but for those of packages and of git. */
function files(): readonly string[] {
  const top = readdirSync(ROOT, { withFileTypes: true });
  return top.flatMap((each) => {
    if (each.isFile()) return each.name;
    if (!each.isDirectory() || ["node_modules", ".git"].includes(each.name)) return [];
    return readdirSync(join(ROOT, each.name), { recursive: true, withFileTypes: true })
      .filter((below) => below.isFile())
      .map((below) => join(below.parentPath, below.name).slice(ROOT.length));
  });
}

function isIn(file: string, folders: readonly string[]): boolean {
  return folders.some((each) => file === each || file.startsWith(`${each}/`));
}

describe("the image", () => {
  test.each([
    ...[".env", "src/.env", "content/.env.local", "templates/.git-credentials", "src/ca.pem"],
    ...[".git/config", "test/temporary-folder.ts", "bench/corpus.ts", "content/site.key"],
    ...["node_modules/eta/package.json", ".nightbake/ledger.db", "dist/index.html", "src/a.log"],
    ...["corpus/articles.ndjson.gz", ".ci/test.sh", "docs/decisions/025-schedule.md"],
  ])("is not sent %s", (file) => {
    expect(isSent(file)).toBe(false);
  });

  test("has what runs, and nothing else", () => {
    const sent = files().filter(isSent);
    const inside = sent.filter((file) => isIn(file, copied(LAST)));

    expect(sent.filter((file) => !inside.includes(file))).toEqual([".npmrc"]);
    expect(new Set(inside.map((file) => file.split("/")[0]))).toEqual(
      new Set([
        "content",
        "package-lock.json",
        "package.json",
        "site.config.ts",
        "src",
        "templates",
      ]),
    );
    // The engine's fingerprint is made of all of these.
    for (const folder of ["src", "content", "templates"]) {
      const wanted = files().filter((file) => isIn(file, [folder]) && !/\/\./.test(file));
      expect(inside).toEqual(expect.arrayContaining(wanted));
    }
  });

  test("is made of the Node that the lockfile pins, and is not root's to run", () => {
    const { node } = json("package.json").devDependencies;

    expect(stages().map(({ image }) => image)).toEqual([
      `node:${node}-trixie-slim`,
      `node:${node}-trixie-slim`,
    ]);
    expect(LAST.steps.findLast(({ word }) => word === "USER")).toEqual({
      word: "USER",
      rest: "node",
    });
    expect(PACKAGES.steps).toContainEqual({
      word: "RUN",
      rest: "npm ci --omit=dev --ignore-scripts",
    });
  });

  test("takes no secret while it is built", () => {
    const text = readFileSync(join(ROOT, "Dockerfile"), "utf8");

    expect(text).not.toMatch(/^(ARG|ADD)|--mount=type=secret|PASSWORD|TOKEN|SECRET/m);
    expect(readFileSync(join(ROOT, ".npmrc"), "utf8")).not.toMatch(/auth|token|password/i);
  });
});

describe("the entry point, as a user who owns nothing, in a folder that cannot be written to", () => {
  const image = join(temporaryFolder("nightbake-image-"), "nightbake");
  const home = join(dirname(image), "home");
  const node = join(dirname(image), "node");
  const [, healthCommand = "[]"] =
    /CMD (.*)$/.exec(LAST.steps.find(({ word }) => word === "HEALTHCHECK")?.rest ?? "") ?? [];

  beforeAll(async () => {
    const own = files().filter((each) => isSent(each) && isIn(each, copied(LAST)));
    mkdirSync(image);
    copy("-r", own, image);
    // Thousands of files: their names are enough on one file system. They are no test's to write to, either.
    if (!copy("-rl", packages(), image)) copy("-r", packages(), image);
    linkOrCopy(process.execPath, node);
    mkdirSync(home);
    if (isRoot) chownSync(home, NOBODY, NOBODY);
    chmodSync(dirname(image), 0o755);
    execFileSync("find", [
      image,
      "(",
      "-type",
      "d",
      "-o",
      "-links",
      "1",
      ")",
      "-exec",
      "chmod",
      "a-w,a+rX",
      "{}",
      "+",
    ]);
    expect(await nightbake("load", "content/data")).toMatchObject({ code: 0 });
  });

  function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const set = [
      "--reuid",
      String(NOBODY),
      "--regid",
      String(NOBODY),
      "--clear-groups",
      "--no-new-privs",
    ];
    const [program, ...before] = isRoot ? ["setpriv", ...set, node] : [node];
    const around = {
      PATH: process.env["PATH"] ?? "",
      NODE_ENV: "production",
      NIGHTBAKE_HOME: home,
    };
    const own = { ...around, OUT_DIR: join(home, "dist"), ...env };
    return spawn(program as string, [...before, ...argv], { cwd: image, env: own });
  }

  async function ended(child: ReturnType<typeof run>) {
    const closed = once(child, "close").then(([code]) => code as number | null);
    const [out, err] = await Promise.all(
      [child.stdout, child.stderr].map((each) => each.toArray()),
    );
    const text = (chunks: readonly Buffer[] = []) => Buffer.concat(chunks).toString();
    return { code: await closed, out: text(out), err: text(err) };
  }

  const nightbake = (...argv: readonly string[]) => ended(run(["src/cli/main.ts", ...argv]));

  test("cannot write to what it runs from", async () => {
    const write = "require('node:fs').writeFileSync('src/mine', '')";

    expect((await ended(run(["-e", write]))).err).toMatch(/EACCES|EROFS/);
  });

  test("publishes with what is no part of its packages for development", async () => {
    const before = statSync(join(image, "node_modules")).mtimeMs;

    const built = await nightbake("build");

    expect(built).toMatchObject({ code: 0 });
    expect(readdirSync(join(home, "dist"))).toContain("index.html");
    expect(readdirSync(join(image, "node_modules"))).not.toContain("vitest");
    expect(statSync(join(image, "node_modules")).mtimeMs).toBe(before);
  });

  test("says what is scheduled", async () => {
    const listed = await nightbake("schedule", "--list");

    expect(listed).toMatchObject({ code: 0, err: "" });
    expect(listed.out).toMatch(/^build {3}0 3 \* \* \* UTC/m);
  });

  test("is healthy while it serves, by the image's own check", async () => {
    const check = async (port: string) => {
      const [, ...argv] = JSON.parse(healthCommand);
      return (await ended(run(argv, { NIGHTBAKE_PORT: port }))).code;
    };
    const serving = run(["src/cli/main.ts", "serve"], { NIGHTBAKE_PORT: "0" });
    const closed = once(serving, "close");
    onTestFinished(() => void serving.kill("SIGKILL"));
    const [url] = await Promise.race([once(serving.stdout, "data"), closed]);

    expect(await check(new URL(String(url).trim()).port)).toBe(0);

    serving.kill("SIGTERM");
    expect(await closed).toEqual([0, null]);
    expect(await check(new URL(String(url).trim()).port)).toBe(1);
  });
});

/** What `npm ci --omit=dev` installs: packages of other platforms are not there. */
function packages(): readonly string[] {
  const all = Object.entries<{ dev?: boolean }>(json("package-lock.json").packages);
  return all
    .filter(([path, { dev }]) => path !== "" && !dev && !path.includes("/node_modules/"))
    .map(([path]) => path)
    .filter((path) => existsSync(join(ROOT, path)));
}

/** Copies files and folders of the repository with the folders that they are in; whether that was possible. */
function copy(how: "-r" | "-rl", paths: readonly string[], to: string): boolean {
  const args = [how, "--parents", ...paths, to];
  return spawnSync("cp", args, { cwd: ROOT, stdio: "ignore" }).status === 0;
}

/** A program is large, and the same on one file system. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    cpSync(from, to);
  }
}
