import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { openLoad } from "../../src/wiring.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { type Member, startMember } from "./process.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** Settings of a folder of its own, with the sample rows in its source. */
async function newSite(): Promise<Readonly<Record<string, string>>> {
  const dir = temporaryFolder("crew");
  const env = {
    NIGHTBAKE_HOME: join(dir, "home"),
    OUT_DIR: join(dir, "out"),
    SHARD_PAGES: "2",
    SHARD_LEASE_MS: "1500",
    TELLS_SHARDS: "1",
  };
  const config = readConfig({ env, cwd: REPOSITORY });
  await using load = await openLoad(config);
  await load.run(join(REPOSITORY, "content", "data"), {});
  return env;
}

/** Texts by file, without the marker. */
async function published(out: string): Promise<Readonly<Record<string, string>>> {
  const names = await readdir(out, { recursive: true, withFileTypes: true });
  const files = names.filter((each) => each.isFile() && !each.name.startsWith("."));
  const texts = files.map(async ({ parentPath, name }) => {
    const file = join(parentPath, name);
    return [file.slice(out.length), await readFile(file, "latin1")] as const;
  });
  return Object.fromEntries((await Promise.all(texts)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const shards = ({ told }: Member) => told.filter(({ event }) => event === "shard").length;

test("processes publish one run on one ledger, though one is killed and one is stopped on the way", async () => {
  const [env, alone] = await Promise.all([newSite(), newSite()]);
  await using killed = startMember("help", env);
  await using stopped = startMember("help", env);
  await Promise.all([killed.heard("ready"), stopped.heard("ready")]);
  await using builder = startMember("build", { ...env, PAUSE_MS: "500" });

  await killed.heard("shard");
  killed.child.kill("SIGKILL");
  await stopped.heard("shard");
  stopped.child.kill("SIGTERM");
  await Promise.all([builder.ended, stopped.ended]);

  expect(builder.told.find(({ event }) => event === "error")).toBeUndefined();
  expect([killed, stopped].map((each) => shards(each) > 0)).toEqual([true, true]);
  await using single = startMember("build", { ...alone, SHARD_PAGES: "100000" });
  await single.ended;
  const expected = await published(alone["OUT_DIR"] ?? "");
  expect(Object.keys(expected).length).toBeGreaterThan(50);
  expect(await published(env["OUT_DIR"] ?? "")).toEqual(expected);
}, 120_000);

test("a run whose coordinator is killed while others work on its shards is ended by the next", async () => {
  const [site, alone] = await Promise.all([newSite(), newSite()]);
  const env = { ...site, RUN_LEASE_MS: "7000" };
  await using helper = startMember("help", env);
  await helper.heard("ready");
  await using killed = startMember("build", { ...env, PAUSE_MS: "200" });
  await helper.heard("shard", 2);
  killed.child.kill("SIGKILL");
  const before = shards(helper);
  await using successor = startMember("build", env);
  await successor.ended;

  expect(successor.told.find(({ event }) => event === "done")).toMatchObject({
    changed: expect.toSatisfy((changed) => changed > 0),
  });
  expect(helper.told.find(({ event }) => event === "error")).toBeUndefined();
  expect(shards(helper)).toBeGreaterThan(before);
  await using single = startMember("build", { ...alone, SHARD_PAGES: "100000" });
  await single.ended;
  expect(await published(site["OUT_DIR"] ?? "")).toEqual(await published(alone["OUT_DIR"] ?? ""));
}, 120_000);
