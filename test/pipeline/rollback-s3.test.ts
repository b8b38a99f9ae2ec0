import { expect, test } from "vitest";
import { releasesOf, resume, rollback, type Wired } from "../../src/pipeline.ts";
import { openS3Store } from "../../src/publish/s3-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import { type Artifact, digest } from "../../src/site.ts";
import { describeWith } from "../services/requires.ts";
import { type S3Front, startS3Front } from "../services/s3-front.ts";
import { sharedRadosgw } from "../services/shared.ts";
import { siteOf } from "./releases.ts";
import { differences } from "./small-site.ts";
import { smallWorld } from "./world.ts";

describeWith("radosgw", "a bucket", () => {
  /** A site in a bucket of its own after three releases, and what it was after the first. */
  async function inBucket(isVersioned: boolean) {
    await using parts = new AsyncDisposableStack();
    const server = await sharedRadosgw();
    const front = parts.use(await startS3Front(server));
    const bucket = await server.createBucket(undefined, { isVersioned });
    const { region, accessKeyId, secretAccessKey } = server;
    const credentials = { accessKeyId, secretAccessKey };
    const { endpoint } = front;
    const store = parts.use(
      openS3Store({ endpoint, region, bucket, credentials, prefix: "site é" }),
    );
    const world = parts.use(await smallWorld(3));
    const rewire = (wired: Wired) => ({ ...wired, store });
    await world.bake({}, rewire);
    const first = siteOf(await objectsOf(store));
    world.edit(1, "slug", "moved");
    world.edit(2, "status", "draft");
    await world.bake({}, rewire);
    world.edit(3, "title", "Edited");
    world.post(4);
    await world.bake({}, rewire);
    const open = parts.move();
    const close = () => open.disposeAsync();
    return { front, store, world, rewire, first, [Symbol.asyncDispose]: close };
  }

  test("with versions goes back by copies inside of it, and forth again", async () => {
    await using site = await inBucket(true);
    const { front, store, world, rewire, first } = site;
    const before = front.requests.length;

    await world.with((wired) => rollback(rewire(wired), 1, options(world.now)));

    expect(bodiesRead(front, before)).toEqual([]);
    expect(differences(siteOf(await objectsOf(store)), first)).toEqual([]);
    await world.with(resume);
    await world.bake({}, rewire);
    expect(differences(siteOf(await objectsOf(store)), await world.scratch())).toEqual([]);
  });

  test("without versions says so beforehand", async () => {
    await using site = await inBucket(false);
    const { store, world, rewire } = site;
    const before = siteOf(await objectsOf(store));

    const releases = await world.with((wired) => releasesOf(rewire(wired), 9));
    const back = world.with((wired) => rollback(rewire(wired), 1, options(world.now)));

    expect(releases.map(({ isRestorable }) => isRestorable)).toEqual([true, false, false]);
    await expect(back).rejects.toMatchObject({ code: "release_lost" });
    expect(siteOf(await objectsOf(store))).toEqual(before);
  });
});

function options(now: number) {
  return { isDryRun: false, signal: new AbortController().signal, emit: () => {}, now: () => now };
}

/** Objects that were fetched since, but for the marker. */
function bodiesRead({ requests }: S3Front, since: number): readonly string[] {
  const isObject = (path: string) => /^\/[^/?]+\/[^?]/.test(path) && !path.includes(".nightbake");
  return requests
    .slice(since)
    .filter(({ method, path }) => method === "GET" && isObject(path))
    .map(({ path }) => path);
}

async function objectsOf(store: ObjectStore): Promise<ReadonlyMap<string, Artifact>> {
  const objects = new Map<string, Artifact>();
  for await (const { key } of store.list("")) {
    const object = await store.get(key);
    if (object === undefined) continue;
    const { body, contentType = "", cacheControl = "", metadata = {} } = object;
    objects.set(key, { key, body, contentType, cacheControl, metadata, hash: digest(body) });
  }
  return objects;
}
