import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { type ChangedObject, lookups } from "../../src/invalidate/changed.ts";
import { openCloudFront } from "../../src/invalidate/cloudfront.ts";
import { type CoverOptions, cover } from "../../src/invalidate/cover.ts";
import { drainOutbox } from "../../src/invalidate/outbox.ts";
import { openS3Store } from "../../src/publish/s3-store.ts";
import { address } from "../../src/site.ts";
import { artifact } from "../publish/artifact.ts";
import { startCloudFront } from "../services/cloudfront.ts";
import { describeWith } from "../services/requires.ts";
import { sharedRadosgw } from "../services/shared.ts";
import { countsOf, edited, itemsOf, type Live } from "./changes.ts";
import { memoryOutbox, PRICED } from "./memory-outbox.ts";

/** Addresses that are easily taken for one another. */
const ROUTES = [
  "/",
  "/x/",
  "/x/y/",
  "/x.xml",
  "/X/",
  "/a+b/",
  "/a%2Bb/",
  "/a b/",
  "/A+b/",
  "/é/",
  "/É/",
  "/%c3%a9/",
  "/a(1)*/",
  "/a(1)/",
];

describeWith(["shared-radosgw", "varnish"], "a cover at the edge", () => {
  /** A bucket behind as many edges, each with copies of its own. */
  async function open(edges = 1) {
    const { createBucket, endpoint, region, ...credentials } = await sharedRadosgw();
    const bucket = await createBucket(undefined, { publicRead: true });
    const store = openS3Store({ endpoint, region, credentials, bucket });
    const servers = await Promise.all(
      Array.from({ length: edges }, () => startCloudFront({ origin: { endpoint, bucket } })),
    );
    onTestFinished(async () => {
      for (const each of [store, ...servers]) await each[Symbol.asyncDispose]();
    });
    const put = async (pages: readonly Live[], body: string) => {
      for (const { route, tags } of pages) {
        const metadata = { "cache-tag": tags.join(",") };
        await store.put(artifact({ key: address(route).key, body: Buffer.from(body), metadata }));
      }
    };
    /** What readers of both forms of each address get, each answer once. */
    const view = async ({ route }: Live, edge = 0) => {
      const answers = address(route).invalidations.map(async (path) =>
        (await fetch(`${servers[edge]?.url}${path}`)).text(),
      );
      return [...new Set(await Promise.all(answers))].join();
    };
    const invalidate = async (
      changed: readonly ChangedObject[],
      live: readonly Live[],
      options: Partial<CoverOptions> = {},
    ) => {
      const counts = countsOf(live, lookups(changed));
      const covered = cover(changed, counts, { useTags: true, ...options });
      for (const { distributionId, endpoint: api } of servers) {
        await using cdn = openCloudFront({
          hasTags: true,
          distributionId,
          endpoint: api,
          credentials,
        });
        const outbox = memoryOutbox();
        outbox.add(...itemsOf(covered));
        await drainOutbox({ ...PRICED, ledger: outbox.ledger, cdn, sleep: () => sleep(10) });
      }
      return covered;
    };
    return { put, view, invalidate };
  }

  test.each([
    { useTags: false, first: 0 },
    { useTags: false, first: 1 },
    { useTags: true, first: 0 },
    { useTags: true, first: 1 },
  ])(
    "exactly what changed is evicted, tags: $useTags, every second from $first on",
    async (options) => {
      const { put, view, invalidate } = await open();
      const live = ROUTES.map((route, n) => ({ route, tags: [`page-${n}`, "page"] }));
      const isChanged = (n: number) => n % 2 === options.first;
      await put(live, "old");
      for (const each of live) expect(await view(each)).toBe("old");
      // All are new in the store, so that each copy that was evicted shows.
      await put(live, "new");

      const changed = live.filter((_, n) => isChanged(n)).map(edited);
      const { load } = await invalidate(changed, live, { useTags: options.useTags, maxShare: 0 });

      expect(load.wildcards).toBe(0);
      expect(await Promise.all(live.map((each) => view(each)))).toEqual(
        live.map((_, n) => (isChanged(n) ? "new" : "old")),
      );
    },
  );

  test.each([
    { useTags: true, item: "#author-ann" },
    { useTags: false, item: "/%C3%A9%2B%C3%A9/*" },
  ])("$item evicts all that changed, and as many others as told", async ({ useTags, item }) => {
    const { put, view, invalidate } = await open();
    const live = Array.from({ length: 16 }, (_, n): Live => {
      const [folder, author] = n < 8 ? ["/é+é/", "ann"] : ["/É+é/", "bob"];
      return { route: `${folder}${n}/`, tags: [`page-${n}`, "page", `author-${author}`] };
    });
    await put(live, "old");
    for (const each of live) expect(await view(each)).toBe("old");
    await put(live, "new");

    const changed = live.slice(1, 8).map(edited);
    const covered = await invalidate(changed, live, { useTags, maxShare: 0.1, waveUsd: 0 });

    expect([itemsOf(covered), covered.load.evicted]).toEqual([[item], 1]);
    expect(await Promise.all(live.map((each) => view(each)))).toEqual(
      live.map((_, n) => (n < 8 ? "new" : "old")),
    );
  });

  test("a page made twice in one run is evicted where its first and where its second copy is", async () => {
    const { put, view, invalidate } = await open(2);
    const tagged = (author: string) =>
      Array.from({ length: 5 }, (_, n) => {
        return { route: `/articles/${n}/`, tags: [`article-${n}`, "article", `author-${author}`] };
      });
    const [first, second, third] = [tagged("ann"), tagged("bob"), tagged("cy")];
    const others = [{ route: "/", tags: ["home-1", "home"] }];
    await put([...first, ...others], "1");
    for (const each of [...first, ...others]) await view(each, 0);
    await put([...second, ...others], "2");
    for (const each of [...second, ...others]) await view(each, 1);
    await put([...third, ...others], "3");

    const changed = first.flatMap(({ route, tags: before }, n) => [
      { route, before, after: second[n]?.tags },
      { route, before: second[n]?.tags, after: third[n]?.tags },
    ]);
    const covered = await invalidate(changed, [...third, ...others]);

    expect(itemsOf(covered)).toEqual(["#article"]);
    for (const edge of [0, 1]) {
      for (const each of third) expect(await view(each, edge)).toBe("3");
      for (const each of others) expect(await view(each, edge)).toBe(`${edge + 1}`);
    }
  });
});
