import {
  CloudFrontClient,
  CreateInvalidationCommand,
  waitUntilInvalidationCompleted,
} from "@aws-sdk/client-cloudfront";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { type CloudFront, type CloudFrontOptions, startCloudFront } from "./cloudfront.ts";
import { describeWith } from "./requires.ts";
import { s3Client } from "./s3.ts";
import { sharedRadosgw } from "./shared.ts";

interface Site extends AsyncDisposable {
  readonly cdn: CloudFront;
  put(key: string, body: string, tags?: string): Promise<void>;
  /** What a viewer gets, e.g. `200 Miss v1`. */
  get(path: string): Promise<string>;
  /** The id of the accepted invalidation. */
  create(items: readonly string[], reference?: string): Promise<string | undefined>;
  invalidate(...items: readonly string[]): Promise<void>;
}

async function openSite(options: Partial<CloudFrontOptions> = {}): Promise<Site> {
  const server = await sharedRadosgw();
  const bucket = await server.createBucket(undefined, { publicRead: true });
  const { endpoint } = server;
  const cdn = await startCloudFront({ origin: { endpoint, bucket, prefix: "site" }, ...options });
  const store: S3Client = s3Client(server);
  const credentials = { accessKeyId: "AKIDTEST", secretAccessKey: "secret" };
  const api = new CloudFrontClient({ endpoint: cdn.endpoint, region: "us-east-1", credentials });
  const DistributionId = cdn.distributionId;
  const create: Site["create"] = async (items, reference = crypto.randomUUID()) => {
    const Paths = { Quantity: items.length, Items: [...items] };
    const InvalidationBatch = { CallerReference: reference, Paths };
    const command = new CreateInvalidationCommand({ DistributionId, InvalidationBatch });
    return (await api.send(command)).Invalidation?.Id;
  };
  return {
    cdn,
    create,
    async put(key, body, tags) {
      const Metadata = tags === undefined ? {} : { "cache-tag": tags };
      const CacheControl = "public, max-age=0, s-maxage=31536000";
      const object = { Bucket: bucket, Key: `site/${key}`, Body: body, Metadata, CacheControl };
      await store.send(new PutObjectCommand(object));
    },
    async get(path) {
      const response = await fetch(`${cdn.url}${path}`);
      expect(response.headers.get("x-amz-meta-cache-tag")).toBeNull();
      return `${response.status} ${response.headers.get("x-cache")} ${await response.text()}`;
    },
    async invalidate(...items) {
      const Id = await create(items);
      const wait = { client: api, maxWaitTime: 10, minDelay: 0.05, maxDelay: 0.1 };
      await waitUntilInvalidationCompleted(wait, { DistributionId, Id });
    },
    async [Symbol.asyncDispose]() {
      store.destroy();
      api.destroy();
      await cdn[Symbol.asyncDispose]();
    },
  };
}

/** How the viewer spells an object key. */
function spelled(key: string): string {
  return `/${key.split("/").map(encodeURIComponent).join("/")}`;
}

describeWith(["shared-radosgw", "varnish"], "the CloudFront stand-in", () => {
  test("serves the old page until its invalidation is completed", async () => {
    await using site = await openSite();
    await site.put("articles/a/index.html", "v1");
    expect(await site.get("/articles/a/")).toBe("200 Miss v1");
    expect(await site.get("/articles/a/?utm=1")).toBe("200 Hit v1");
    await site.put("articles/a/index.html", "v2");
    expect(await site.get("/articles/a/")).toBe("200 Hit v1");

    await site.invalidate("/articles/a/");

    expect(await site.get("/articles/a/")).toBe("200 Miss v2");
    expect(site.cdn.invalidations()).toEqual([
      expect.objectContaining({ items: ["/articles/a/"], status: "Completed" }),
    ]);
  });

  test("an item evicts what its exact spelling, prefix or tag names and nothing else", async () => {
    await using site = await openSite();
    const urls = ["/a.b/", "/aXb/", "/A.b/", "/x/1/", "/x/2/", "/t1/", "/t2/", "/t3/"];
    const tags: Record<string, string> = { "/t1/": "k1,k2", "/t2/": "k2", "/t3/": "k22,K3" };
    for (const url of urls) await site.put(`${url.slice(1)}index.html`, "v1", tags[url]);
    const evictedBy = async (...items: string[]) => {
      for (const url of urls) await site.get(url);
      await site.invalidate(...items);
      const seen = await Promise.all(urls.map(async (url) => [url, await site.get(url)] as const));
      return seen.filter(([, answer]) => answer.includes("Miss")).map(([url]) => url);
    };

    expect(await evictedBy("/a.b/")).toEqual(["/a.b/"]);
    expect(await evictedBy("/a.b/index.html")).toEqual(["/a.b/"]);
    expect(await evictedBy("/x")).toEqual([]);
    expect(await evictedBy("/x*", "/aXb/")).toEqual(["/aXb/", "/x/1/", "/x/2/"]);
    expect(await evictedBy("#k2")).toEqual(["/t1/", "/t2/"]);
    expect(await evictedBy("#k3", "/nothing")).toEqual(["/t3/"]);
  });

  test("a page cached under its file name is not evicted by the viewer's folder form", async () => {
    await using site = await openSite();
    await site.put("a/index.html", "v1");
    expect(await site.get("/a/index.html")).toBe("200 Miss v1");

    await site.invalidate("/a/");
    expect(await site.get("/a/")).toBe("200 Hit v1");
    await site.invalidate("/a/index.html");
    expect(await site.get("/a/")).toBe("200 Miss v1");
  });

  test("keys of any spelling are reached and evicted by their percent-encoded URL", async () => {
    await using site = await openSite();
    const keys = [
      "articles/日本/index.html",
      "a%e2%80%8a/index.html",
      "a b/c+d.html",
      "q(1)[2].html",
    ];
    for (const key of keys) await site.put(key, key);

    for (const key of keys) expect(await site.get(spelled(key))).toBe(`200 Miss ${key}`);
    expect(await site.get(spelled("articles/日本/"))).toBe(`200 Hit ${keys[0]}`);
    await site.invalidate(...keys.map(spelled));
    for (const key of keys) expect(await site.get(spelled(key))).toBe(`200 Miss ${key}`);
  });

  test("a missing page shows the site's 404 page until the error's time is over", async () => {
    await using site = await openSite({ errorTtlSeconds: 0.5 });
    await site.put("404.html", "not here");
    expect(await site.get("/new/")).toBe("404 Miss not here");
    await site.put("new/index.html", "v1");
    expect(await site.get("/new/")).toBe("404 Hit not here");

    await expect.poll(() => site.get("/new/"), { timeout: 5000 }).toMatch("200");
  });

  test("a cached 404 is evicted by the path of the page", async () => {
    await using site = await openSite();
    await site.put("404.html", "not here");
    expect(await site.get("/new/")).toBe("404 Miss not here");
    await site.put("new/index.html", "v1");

    await site.invalidate("/new/");

    expect(await site.get("/new/")).toBe("200 Miss v1");
  });

  test("refuses items that are not spelled as CloudFront wants them", async () => {
    await using site = await openSite();

    for (const item of ["no-slash", "/a b/", "/日本/", "/a*b", "/100%", "#a,b", "#日本"]) {
      expect([item, await refusal(site.create(["/ok/", item]))]).toEqual([
        item,
        "400 InvalidArgument",
      ]);
    }
    expect(site.cdn.invalidations()).toEqual([]);
  });

  test("a caller reference stands for one batch", async () => {
    await using site = await openSite();
    const id = await site.create(["/a/", "/b/"], "batch-1");

    expect(await site.create(["/a/", "/b/"], "batch-1")).toBe(id);
    expect(await refusal(site.create(["/a/"], "batch-1"))).toBe(
      "409 InvalidationBatchAlreadyExists",
    );
    expect(site.cdn.invalidations()).toHaveLength(1);
  });

  test("limits what is in progress to 3,000 paths and 15 wildcards", async () => {
    await using site = await openSite({ completesAfterMs: 60_000 });
    const paths = Array.from({ length: 2990 }, (_, n) => `/articles/${n}/`);
    const wildcards = Array.from({ length: 15 }, (_, n) => `/w${n}/*`);
    await site.create(paths);
    await site.create(wildcards);

    const exceeded = "400 TooManyInvalidationsInProgress";
    expect(await refusal(site.create(["/one-more/*"]))).toBe(exceeded);
    expect(await refusal(site.create(paths.slice(0, 11)))).toBe(exceeded);
    expect(await refusal(site.create([...paths, ...paths]))).toBe("413 BatchTooLarge");
    await site.create(paths.slice(0, 10));
  });

  test("evicts 3,000 paths of one batch", async () => {
    await using site = await openSite();
    const paths = Array.from({ length: 3000 }, (_, n) => `/articles/a-fairly-long-slug-${n}/`);
    await site.put("articles/a-fairly-long-slug-2999/index.html", "v1");
    await site.get("/articles/a-fairly-long-slug-2999/");

    await site.invalidate(...paths);

    expect(await site.get("/articles/a-fairly-long-slug-2999/")).toBe("200 Miss v1");
  });

  test("throttles, loses replies and knows only its own distribution", async () => {
    await using site = await openSite();
    site.cdn.faults.next(3, "throttle");
    expect(await refusal(site.create(["/a/"]))).toBe("400 Throttling");
    site.cdn.faults.next(1, "lost-reply");
    await site.create(["/a/"], "lost-once");
    expect(site.cdn.invalidations()).toHaveLength(1);

    const credentials = { accessKeyId: "AKIDTEST", secretAccessKey: "secret" };
    const { endpoint } = site.cdn;
    const api = new CloudFrontClient({ endpoint, region: "us-east-1", credentials });
    const InvalidationBatch = { CallerReference: "x", Paths: { Quantity: 1, Items: ["/a/"] } };
    const other = new CreateInvalidationCommand({ DistributionId: "EOTHER", InvalidationBatch });
    expect(await refusal(api.send(other))).toBe("404 NoSuchDistribution");
    api.destroy();
  });

  test("nothing answers after it is disposed", async () => {
    const site = await openSite();

    await site[Symbol.asyncDispose]();

    await expect(fetch(site.cdn.url)).rejects.toThrow("fetch failed");
    await expect(fetch(site.cdn.endpoint)).rejects.toThrow("fetch failed");
  });
});

async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (reason) => reason,
  );
  return error === undefined ? "accepted" : `${error.$metadata?.httpStatusCode} ${error.name}`;
}
