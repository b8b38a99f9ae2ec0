import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { tryDeleteConditions } from "../../src/pipeline/delete-conditions.ts";
import { deleteExpecting } from "../../src/publish/delete-expecting.ts";
import { putExpecting } from "../../src/publish/put-expecting.ts";
import { openS3Store, type S3Config } from "../../src/publish/s3-store.ts";
import { describeWith } from "../services/requires.ts";
import { type S3Front, startS3Front } from "../services/s3-front.ts";
import { type SharedS3, sharedRadosgw } from "../services/shared.ts";
import { artifact, sorted } from "./artifact.ts";
import { describeConditions } from "./conditions-contract.ts";
import { describeDeletes } from "./deletes-contract.ts";
import { describeObjectStore } from "./store-contract.ts";
import { describeVersions } from "./versions-contract.ts";

const as = (accessKeyId: string, secretAccessKey: string) => ({
  credentials: { accessKeyId, secretAccessKey },
});

describeWith("radosgw", "S3 with signatures and policies", () => {
  let server: SharedS3;
  beforeAll(async () => {
    server = await sharedRadosgw();
  });

  async function config(parts: Partial<S3Config> = {}): Promise<S3Config> {
    const { endpoint, region, accessKeyId, secretAccessKey } = server;
    const bucket = parts.bucket ?? (await server.createBucket());
    return { endpoint, region, credentials: { accessKeyId, secretAccessKey }, ...parts, bucket };
  }

  describeObjectStore("radosgw", async () => openS3Store(await config()), { keepsHeaders: true });

  describe("that keeps conditions as AWS does", () => {
    let front: S3Front;
    beforeAll(async () => {
      front = await startS3Front(server);
    });
    afterAll(() => front[Symbol.asyncDispose]());

    describeConditions(async () => openS3Store(await config({ endpoint: front.endpoint })));

    describeDeletes(async () => openS3Store(await config({ endpoint: front.endpoint })), {
      isSingle: false,
    });
    describeDeletes(async () => openS3Store(await config({ endpoint: front.endpoint })), {
      isSingle: true,
    });

    describeVersions(async () => {
      const bucket = await server.createBucket(undefined, { isVersioned: true });
      return openS3Store(await config({ bucket, endpoint: front.endpoint, prefix: "site" }));
    });

    test("a bucket without versions says so, and has none of what was replaced", async () => {
      await using store = openS3Store(await config());
      await store.put(artifact({ key: "a", body: Buffer.from("first") }));
      const etag = await store.put(artifact({ key: "a" }));

      expect(await store.keepsVersions()).toBe(false);
      expect((await store.versions("a")).map((each) => each.etag)).toEqual([etag]);
    });

    test("objects whose deletion was not answered at first are gone, and another hand's stays", async () => {
      const { endpoint, bucket, ...rest } = await config();
      await using store = openS3Store({ ...rest, bucket, endpoint: front.endpoint });
      const keys = ["a", "b", "c"];
      const etags = await Promise.all(keys.map((key) => store.put(artifact({ key }))));
      const client = new S3Client({ ...rest, endpoint: String(endpoint), forcePathStyle: true });
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: "c", Body: "theirs" }));
      client.destroy();
      front.faults.next(1, "cut-after", ({ method }) => method === "POST");
      const doomed = keys.map((key, at) => ({ key, etag: etags[at], hash: undefined }));

      const deleted = await deleteExpecting(store, doomed, {
        conditions: "together",
        take: (work) => work(),
        mayDelete: () => Promise.reject(new Error("asked")),
      });

      expect(deleted).toEqual({ gone: ["a", "b"], foreign: ["c"] });
      expect(await sorted(store.list(""))).toEqual(["c"]);
    });

    test("is found to keep those of deletes, and without the front not to", async () => {
      await using ledger = await openSqliteLedger(":memory:");
      await using kept = openS3Store(await config({ endpoint: front.endpoint }));
      await using ignored = openS3Store(await config());

      expect(await tryDeleteConditions({ ledger, store: kept })).toBe("together");
      expect(await tryDeleteConditions({ ledger, store: ignored })).toBe("ignored");
      expect(await sorted(kept.list(""))).toEqual([]);
      expect(await sorted(ignored.list(""))).toEqual([]);
    });

    test("what arrives when its time is over is refused, however it was held up", async () => {
      await using store = openS3Store(await config({ endpoint: front.endpoint }));
      const etag = await store.put(artifact({ key: "a", body: Buffer.from("A") }));
      const end = Date.now() + 3_000;
      const until = () => {
        if (Date.now() < end) return end;
        throw new PipelineError("run_conflict", "The claim is over.");
      };
      front.faults.next(2, { delayMs: 4_000 }, ({ method }) => method !== "GET");
      const late = await Promise.allSettled([
        store.put(artifact({ key: "a", body: Buffer.from("B") }), { expected: etag, until }),
        store.delete(["a"], { until }),
      ]);

      expect(late).toMatchObject(Array(2).fill({ reason: { code: "run_conflict" } }));
      expect((await store.head("a"))?.etag).toBe(etag);
    });

    test("a put whose first answer was lost is found to be our own", async () => {
      await using store = openS3Store(await config({ endpoint: front.endpoint }));
      front.faults.next(1, "cut-after", ({ method }) => method === "PUT");
      const put = {
        id: "run-1",
        expected: null,
        mayReplace: () => Promise.reject(new Error("asked")),
      };

      const etag = await putExpecting(store, artifact({ key: "a" }), put);

      expect((await store.head("a"))?.etag).toBe(etag);
    });
  });

  test("keys with line separators, which XML writes as references, are deleted too", async () => {
    await using store = openS3Store(await config());
    await store.put(artifact({ key: "a/\u2028\u0085/index.html" }));
    await store.delete(["a/\u2028\u0085/index.html"]);

    expect(await sorted(store.list(""))).toEqual([]);
  });

  test("gives the entity tag as S3 spells it, equal for equal bytes", async () => {
    await using store = openS3Store(await config());
    const first = await store.put(artifact({ key: "a", body: Buffer.from("hello") }));
    const second = await store.put(artifact({ key: "b", body: Buffer.from("hello") }));

    expect([first, second]).toEqual(Array(2).fill('"5d41402abc4b2a76b9719d911017c592"'));
  });

  test("a prefix keeps two sites in one bucket apart", async () => {
    const both = await config();
    await using one = openS3Store({ ...both, prefix: "one" });
    await using other = openS3Store({ ...both, prefix: "one-b/" });
    await one.put(artifact({ key: "index.html" }));
    await other.put(artifact({ key: "index.html" }));
    await one.delete(["index.html"]);

    expect([one.name, await sorted(one.list(""))]).toEqual([`s3://${both.bucket}/one/`, []]);
    expect(await sorted(other.list(""))).toEqual(["index.html"]);
  });

  const wrong: readonly [string, (server: SharedS3) => Partial<S3Config>, RegExp][] = [
    ["a bucket that does not exist", () => ({ bucket: "no-such-bucket" }), /NoSuchBucket/],
    ["a wrong secret", (key) => as(key.accessKeyId, "wrong"), /SignatureDoesNotMatch/],
    ["an unknown key", (key) => as("NOSUCHKEY", key.secretAccessKey), /InvalidAccessKeyId/],
  ];
  test.each(wrong)("%s fails the check and every call, with a hint", async (_, parts, message) => {
    await using store = openS3Store(await config(parts(server)));
    const refused = {
      code: "store_rejected",
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/^C.+\.$/),
    };

    await expect(store.check()).rejects.toMatchObject(refused);
    await expect(sorted(store.list(""))).rejects.toMatchObject(refused);
    await expect(store.put(artifact({ key: "a" }))).rejects.toMatchObject(refused);
    await expect(store.get("a")).rejects.toMatchObject(refused);
    await expect(store.delete(["a"])).rejects.toMatchObject(refused);
  });

  test("a key that S3 finds too long is that object's own fault", async () => {
    await using store = openS3Store(await config({ prefix: "p".repeat(20) }));
    const key = `${"k".repeat(250)}/`.repeat(4).slice(0, 1010);
    const error = store.put(artifact({ key }));

    await expect(error).rejects.toMatchObject({ code: "store_rejected", at: { key } });
  });

  test("slow-downs, lost connections and lost answers are retried until all is stored", async () => {
    await using front = await startS3Front(server);
    await using store = openS3Store(await config({ endpoint: front.endpoint }));
    front.faults.rate(0.2, "slow-down", { seed: 1 });
    front.faults.rate(0.05, "cut-before", { seed: 2 });
    front.faults.rate(0.05, "cut-after", { seed: 3 });
    const keys = Array.from({ length: 100 }, (_, at) => `pages/${100 + at}.html`);
    await Promise.all(keys.map((key) => store.put(artifact({ key }))));

    expect(front.faults.injected).toBeGreaterThan(10);
    front.faults.clear();
    expect(await sorted(store.list(""))).toEqual(keys);
  });
});
