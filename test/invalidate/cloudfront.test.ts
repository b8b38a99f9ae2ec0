import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { openCloudFront } from "../../src/invalidate/cloudfront.ts";
import { drainOutbox } from "../../src/invalidate/outbox.ts";
import { openS3Store } from "../../src/publish/s3-store.ts";
import { address } from "../../src/site.ts";
import { artifact } from "../publish/artifact.ts";
import { type CloudFrontOptions, startCloudFront } from "../services/cloudfront.ts";
import { describeWith } from "../services/requires.ts";
import { sharedRadosgw } from "../services/shared.ts";
import { memoryOutbox, PRICED } from "./memory-outbox.ts";

describeWith(["radosgw", "varnish"], "CloudFront before S3", () => {
  async function open(options: Partial<CloudFrontOptions> = {}) {
    const { createBucket, endpoint, region, ...credentials } = await sharedRadosgw();
    const bucket = await createBucket(undefined, { publicRead: true });
    const store = openS3Store({ endpoint, region, credentials, bucket });
    const server = await startCloudFront({ origin: { endpoint, bucket }, ...options });
    const { distributionId } = server;
    const cdn = openCloudFront({
      hasTags: false,
      distributionId,
      endpoint: server.endpoint,
      credentials,
    });
    const outbox = memoryOutbox();
    // Time passes a thousand times faster, so that back-off and polling take milliseconds.
    const quickly = (ms: number) => sleep(Math.max(10, ms / 1000));
    const drain = (giveUpAfterMs = 600_000) =>
      drainOutbox({ ...PRICED, ledger: outbox.ledger, cdn, sleep: quickly, giveUpAfterMs });
    const put = (route: string, body: string) =>
      store.put(artifact({ key: address(route).key, body: Buffer.from(body) }));
    const view = async (path: string) => (await fetch(`${server.url}${path}`)).text();
    onTestFinished(async () => {
      for (const each of [cdn, store, server]) await each[Symbol.asyncDispose]();
    });
    return { server, cdn, outbox, drain, put, view, credentials };
  }

  test.each([
    "/",
    "/articles/café & tea/",
    "/articles/a+b (1)*/",
    "/articles/a%e2%80%8ab/",
    "/feed.xml",
  ])("readers of %s get the new page once the outbox is drained", async (route) => {
    const { outbox, drain, put, view } = await open();
    const { viewerPath, invalidations } = address(route);
    await put(route, "old");
    expect(await view(viewerPath)).toBe("old");
    await put(route, "new");
    expect(await view(viewerPath)).toBe("old");
    outbox.add(...invalidations);

    expect(await drain()).toEqual({ batches: 1, items: invalidations.length });
    expect(await view(viewerPath)).toBe("new");
  });

  test("a wildcard drops a whole folder", async () => {
    const { outbox, drain, put, view } = await open();
    await put("/tags/a/", "old");
    expect(await view("/tags/a/")).toBe("old");
    await put("/tags/a/", "new");
    outbox.add("/tags/*");
    await drain();

    expect(await view("/tags/a/")).toBe("new");
  });

  test("seven thousand paths go in waves of 2,000, all of them once", async () => {
    const { server, outbox, drain } = await open({ completesAfterMs: 20 });
    outbox.add(...Array.from({ length: 7_000 }, (_, at) => `/articles/${at}/`));

    expect(await drain()).toEqual({ batches: 7, items: 7_000 });
    expect(server.invalidations()).toHaveLength(7);
  });

  test("an answer that was lost is asked for again and billed once", async () => {
    const { server, outbox, drain } = await open();
    server.faults.next(1, "lost-reply", ({ method }) => method === "POST");
    outbox.add("/a/");

    expect(await drain()).toEqual({ batches: 1, items: 1 });
    expect([server.faults.injected, server.invalidations().length]).toEqual([1, 1]);
  });

  test("throttling and a busy service are waited out", async () => {
    const { server, outbox, drain } = await open();
    server.faults.next(7, "throttle");
    server.faults.next(7, "internal-error");
    outbox.add("/a/");

    expect(await drain()).toEqual({ batches: 1, items: 1 });
    expect([server.faults.injected, server.invalidations().length]).toEqual([14, 1]);
  });

  test("too many invalidations in progress count as throttled", async () => {
    const { cdn } = await open({ completesAfterMs: 60_000 });
    const items = Array.from({ length: 15 }, (_, at) => `/${at}/*`);
    await cdn.send({ id: "first", items });

    await expect(cdn.send({ id: "second", items: ["/one-more/*"] })).rejects.toMatchObject({
      code: "cdn_throttled",
      message: expect.stringContaining("TooManyInvalidationsInProgress"),
    });
  });

  test("the same batch is the same invalidation; another under its id is our bug", async () => {
    const { cdn, server } = await open();
    const names = [
      await cdn.send({ id: "one", items: ["/a/"] }),
      await cdn.send({ id: "one", items: ["/a/"] }),
    ];

    expect(names).toEqual(server.invalidations().flatMap(({ id }) => [id, id]));
    await expect(cdn.send({ id: "one", items: ["/b/"] })).rejects.toMatchObject({
      code: "cdn_rejected",
      at: { batch: "one" },
      hint: expect.stringContaining("bug"),
    });
  });

  test("is completed only once the edge has dropped the objects", async () => {
    const { cdn, server } = await open({ completesAfterMs: 200 });
    const invalidation = await cdn.send({ id: "one", items: ["/a/"] });

    expect(await cdn.isCompleted(invalidation)).toBe(false);
    await expect.poll(() => cdn.isCompleted(invalidation)).toBe(true);
    expect(server.invalidations()[0]?.status).toBe("Completed");
  });

  test("a bad path, a wrong distribution and an unknown invalidation are refused", async () => {
    const { cdn, server, credentials } = await open();
    const { endpoint } = server;
    await using other = openCloudFront({
      hasTags: false,
      distributionId: "ENOTHERE",
      endpoint,
      credentials,
    });
    const code = "cdn_rejected";

    await expect(cdn.send({ id: "one", items: ["/a b/"] })).rejects.toMatchObject({
      code,
      at: { batch: "one" },
    });
    await expect(other.send({ id: "one", items: ["/a/"] })).rejects.toMatchObject({
      code,
      at: { distribution: "ENOTHERE" },
      hint: expect.stringContaining("distribution's id"),
    });
    await expect(cdn.isCompleted("INOTHERE")).rejects.toMatchObject({ code });
  });

  test("no server is unavailable, not refused", async () => {
    const { credentials } = await open();
    const endpoint = "http://127.0.0.1:1";
    await using cdn = openCloudFront({
      hasTags: false,
      distributionId: "E1",
      endpoint,
      credentials,
    });

    await expect(cdn.send({ id: "one", items: ["/a/"] })).rejects.toMatchObject({
      code: "cdn_unavailable",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });
});
