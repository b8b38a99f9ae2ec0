import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { codeOf } from "../../src/jobs/code.ts";
import type { JobRequest } from "../../src/jobs/job.ts";
import type { Wired } from "../../src/pipeline.ts";
import type { Artifact } from "../../src/site.ts";
import { differences, openSmall } from "../pipeline/small-site.ts";
import { smallWorld, type World } from "../pipeline/world.ts";
import { startWorking, type Working } from "./working.ts";

const BUILD: JobRequest = { work: { is: "build", allowDeletes: true }, lane: "nightly" };

/** Another release of every template: each page says which made it. */
async function deploy({ site }: World, release: string): Promise<void> {
  for (const name of ["post", "note", "list", "home", "moved", "index", "urls"]) {
    const file = join(site.dir, "templates", `${name}.eta`);
    const text = (await readFile(file, "utf8")).replace(/^\[\w+\]/, "");
    await writeFile(file, `[${release}]${text}`);
  }
}

interface Clone extends Working {
  readonly wired: Wired;
  readonly code: string;
}

/** A worker with the templates of this moment; puts wait for `put`. */
async function startClone(
  world: World,
  put: (artifact: Artifact) => Promise<void>,
): Promise<Clone> {
  const store: Wired["store"] = {
    ...world.store,
    async put(artifact, write) {
      await put(artifact);
      return await world.store.put(artifact, write);
    },
  };
  const wired = await openSmall(world.site, { ledger: "ledger.db", store });
  const working = startWorking(wired);
  return {
    ...working,
    wired,
    code: codeOf(wired),
    async [Symbol.asyncDispose]() {
      await working[Symbol.asyncDispose]();
      await wired[Symbol.asyncDispose]();
    },
  };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}

function told({ events }: Working): readonly string[] {
  return events.map((each) =>
    "job" in each ? `${each.event} ${each.job.id} ${each.job.state}` : each.event,
  );
}

async function expectExact(world: World): Promise<void> {
  world.now = Date.now() * 1000;
  expect(differences(world.shown(), await world.scratch())).toEqual([]);
}

test("a worker with older code refuses jobs until its code is activated again", async () => {
  await using world = await smallWorld(3);
  await deploy(world, "old");
  await using old = await startClone(world, async () => {});
  expect((await old.done(BUILD)).state).toBe("done");
  await deploy(world, "new");

  await using young = await startClone(world, async () => {});

  expect(young.code).not.toBe(old.code);
  const job = await old.done(BUILD);
  expect(job).toMatchObject({ state: "done", attempts: 1, code: young.code });
  expect(told(old)).toEqual(["started 1 running", "ended 1 done", "outdated"]);
  await expectExact(world);

  await young.wired.ledger.meetCode(old.code, { at: Date.now() * 1000, isActivated: true });
  await until(() => told(old).includes("current"));
  expect(await young.done({ ...BUILD, lane: "live" })).toMatchObject({ code: old.code });
  expect(told(young)).toContain("outdated");
  expect(Object.values(world.shown()).join()).not.toContain("[new]");
});

test("a change of templates in one of three workers amid a build leaves no page of the old ones", async () => {
  await using world = await smallWorld(8);
  await deploy(world, "old");
  const puts: string[] = [];
  const slow = async ({ body }: Artifact) => {
    await sleep(30);
    puts.push(/^\[\w+\]/.exec(Buffer.from(body).toString())?.[0] ?? "asset");
  };
  await using one = await startClone(world, slow);
  await using two = await startClone(world, slow);
  await using three = await startClone(world, slow);
  const { job } = await one.jobs.submit(BUILD);
  await until(() => puts.length > 4);
  const [idle] = [one, two, three].filter((each) => each.events.length === 0);
  await idle?.stop();
  await deploy(world, "new");

  await using young = await startClone(world, slow);
  expect(await young.ended(job.id)).toMatchObject({ state: "done", code: young.code });

  await expectExact(world);
  const pages = Object.values(world.shown()).filter((page) => page.includes("text/html"));
  expect(pages.filter((page) => page.includes("[old]"))).toEqual([]);
  expect(pages.every((page) => page.includes("[new]"))).toBe(true);
  expect(puts.slice(puts.indexOf("[new]"))).not.toContain("[old]");
  const events = await Array.fromAsync(young.jobs.events(job.id, 0, AbortSignal.abort()));
  const back = events.filter(({ event }) => event === "again").map(({ data }) => data["code"]);
  expect(back).toHaveLength(1);
  expect(["release_outdated", "interrupted"]).toContain(back[0]);
  const ended = [one, two, three].flatMap(told).filter((each) => each.startsWith("ended"));
  expect(ended).toEqual([`ended ${job.id} waiting`]);
});

test("the fingerprint covers all that pages are made of beside rows", async () => {
  await using world = await smallWorld(1);
  const code = () => world.with(async (wired) => codeOf(wired));
  const codes = [await code(), await code()];
  expect(codes[1]).toBe(codes[0]);
  await world.with(async (wired) => {
    const [asset] = wired.assets;
    const other: readonly Partial<Wired>[] = [
      { site: { ...wired.site, origin: "https://other.example" } },
      { fingerprint: () => Buffer.from("other") },
      { content: new Map() },
      { assets: asset === undefined ? [] : [{ ...asset, key: "assets/other.svg" }] },
      { redirects: [{ from: "/a/", to: "/b/" }] as unknown as Wired["redirects"] },
    ];
    const all = [codes[0], ...other.map((parts) => codeOf({ ...wired, ...parts }))];
    expect(new Set(all).size).toBe(6);
  });
  await deploy(world, "new");
  expect(await code()).not.toBe(codes[0]);
});
