import { rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { folderStore } from "../../src/publish/folder-store.ts";
import { openS3Store } from "../../src/publish/s3-store.ts";
import type { Listed, ObjectStore } from "../../src/publish/store.ts";
import type { Artifact } from "../../src/site.ts";
import { adopt } from "../../src/verify/adopt.ts";
import { bake, openSmall } from "../pipeline/small-site.ts";
import { smallWorld, type World } from "../pipeline/world.ts";
import { type Fauxqs, startFauxqs } from "../services/fauxqs.ts";
import { describeWith } from "../services/requires.ts";
import { type S3Address, s3Client } from "../services/s3.ts";
import { type S3Front, startS3Front } from "../services/s3-front.ts";
import { sharedRadosgw } from "../services/shared.ts";
import { verifying } from "./verifying.ts";

const [GONE, OTHER, HEADERS] = ["posts/p1/index.html", "notes/2/index.html", "index.html"];

async function baked(world: World, store: ObjectStore) {
  await using wired = await openSmall(world.site, { ledger: "ledger.db", store });
  return await bake(wired, { now: () => world.now });
}

/** Builds a world into a store, and then another hand comes. */
async function tampered(world: World, store: ObjectStore): Promise<World> {
  await baked(world, store);
  const lived = { ...world, store };
  expect((await verifying(lived)).told).toEqual([]);
  const shell = { metadata: {}, cacheControl: "no-cache", contentType: "text/html" };
  const body = (await store.get(OTHER))?.body ?? Buffer.alloc(0);
  await store.delete([GONE]);
  await put(store, { ...shell, key: OTHER, body: Buffer.alloc(body.length) });
  await put(store, { ...shell, key: "favicon.ico", body: Buffer.from("icon") });
  return lived;
}

async function put(store: ObjectStore, artifact: Omit<Artifact, "hash">): Promise<void> {
  await store.put({ ...artifact, hash: Buffer.from("foreign") });
}

const FOUND = [`altered ${OTHER}`, "foreign favicon.ico", `missing ${GONE}`];

test("in a folder other bytes are found where they are read, since it lists no tags", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nightbake-verify-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await using world = await smallWorld(4);
  const lived = await tampered(world, folderStore(folder));
  await writeFile(join(folder, HEADERS), "shorter");

  expect((await verifying(lived)).told).toEqual([`altered ${HEADERS}`, ...FOUND].sort());
  const listed = await verifying(lived, { sample: 0 });
  expect(listed.told).toEqual([`altered ${HEADERS}`, ...FOUND.slice(1)].sort());
});

function s3Of({ endpoint, region, accessKeyId, secretAccessKey }: S3Address, bucket: string) {
  return openS3Store({ endpoint, region, bucket, credentials: { accessKeyId, secretAccessKey } });
}

/** The same object with other headers, whose tag is the same. */
async function putHeaders(store: ObjectStore): Promise<void> {
  const found = await store.get(HEADERS);
  const { body = Buffer.alloc(0), metadata = {} } = found ?? {};
  await put(store, { key: HEADERS, body, contentType: "text/plain", cacheControl: "", metadata });
}

async function findsAll(world: World, store: ObjectStore): Promise<void> {
  const lived = await tampered(world, store);
  await putHeaders(store);
  const listed = await verifying(lived, { sample: 0 });
  const all = await verifying(lived);

  expect(listed.told).toEqual(FOUND);
  expect(all.told).toEqual([...FOUND, `headers ${HEADERS}`].sort());
}

/** Loses the ledger of a world that was built into S3, beside an object of somebody else. */
async function adoptsAll(world: World, server: S3Address, bucket: string): Promise<void> {
  await using store = s3Of(server, bucket);
  await baked(world, store);
  const client = s3Client(server);
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: "favicon.ico", Body: "icon" }));
  client.destroy();
  const before = await Array.fromAsync(store.list(""));
  for (const end of ["", "-wal", "-shm"])
    rmSync(`${world.site.dir}/ledger.db${end}`, { force: true });

  await using wired = await openSmall(world.site, { ledger: "ledger.db", store });
  const signal = new AbortController().signal;
  const quiet = { signal, emit: () => {}, onPrice: () => {} };
  const adoption = await adopt(wired, { ...quiet, now: () => world.now });
  const { changed, deleted, events } = await baked(world, store);

  expect(adoption).toMatchObject({ objects: before.length - 1, foreign: 1 });
  expect([changed, deleted]).toEqual([0, 0]);
  expect(events.filter(({ event }) => event === "note")).toEqual([]);
  const isPage = ({ key }: Listed) => !key.startsWith(".");
  const after = await Array.fromAsync(store.list(""));
  expect(after.filter(isPage)).toEqual(before.filter(isPage));
  expect((await verifying({ ...world, store })).told).toEqual(["foreign favicon.ico"]);
}

let fauxqs: Fauxqs;
beforeAll(async () => {
  fauxqs = await startFauxqs();
});
afterAll(() => fauxqs[Symbol.asyncDispose]());

test("in S3 the listing tells other bytes, and reading other headers", async () => {
  await using world = await smallWorld(4);
  await using store = s3Of(fauxqs, await fauxqs.createBucket());

  await findsAll(world, store);
});

test("a bucket is adopted by the digests that its objects carry", async () => {
  await using world = await smallWorld(4);

  await adoptsAll(world, fauxqs, await fauxqs.createBucket());
});

describeWith("shared-radosgw", "with signatures and conditions", () => {
  let front: S3Front;
  beforeAll(async () => {
    front = await startS3Front(await sharedRadosgw());
  });
  afterAll(() => front[Symbol.asyncDispose]());

  test("listing and heads tell tags as puts do", async () => {
    await using world = await smallWorld(4);
    const { createBucket } = await sharedRadosgw();
    await using store = s3Of(front, await createBucket());

    await findsAll(world, store);
  });

  test("a bucket is adopted with the tags that later puts expect", async () => {
    await using world = await smallWorld(4);
    const bucket = await (await sharedRadosgw()).createBucket();
    await adoptsAll(world, front, bucket);
    world.edit(1, "title", "New");
    await using store = s3Of(front, bucket);

    const { changed, events } = await baked(world, store);

    expect(changed).toBeGreaterThan(0);
    expect(events.filter(({ event }) => event === "note")).toEqual([]);
    expect((await verifying({ ...world, store })).told).toEqual(["foreign favicon.ico"]);
  });
});
