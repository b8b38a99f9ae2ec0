import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startFauxqs } from "./fauxqs.ts";
import { startRadosgw } from "./radosgw.ts";
import { describeWith } from "./requires.ts";
import { s3Client } from "./s3.ts";
import { type S3Front, startS3Front } from "./s3-front.ts";
import { sharedRadosgw } from "./shared.ts";

/** The status of a refused call, e.g. `404 NoSuchKey`. */
async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (reason) => reason,
  );
  return error === undefined ? "accepted" : `${error.$metadata?.httpStatusCode} ${error.name}`;
}

describe("fauxqs", () => {
  test("holds objects and queues until it is disposed", async () => {
    const server = await startFauxqs();
    const Bucket = await server.createBucket();
    const client = s3Client(server);
    await client.send(new PutObjectCommand({ Bucket, Key: "a/日本.html", Body: "one" }));

    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: "a/日本.html" }));
    expect(await Body?.transformToString()).toBe("one");
    expect(server.createQueue("jobs", { VisibilityTimeout: "2" })).toMatch(/\/jobs$/);
    client.destroy();
    await server[Symbol.asyncDispose]();
    await expect(fetch(server.endpoint)).rejects.toThrow("fetch failed");
  });
});

describeWith("radosgw", "a private radosgw", () => {
  test("answers several at once, checks signatures and stops", async () => {
    const servers = await Promise.all([startRadosgw(), startRadosgw()]);
    const [first, second] = servers;
    const forged = s3Client({ ...first, secretAccessKey: "wrong" });
    const Bucket = await first.createBucket();

    expect(await refusal(forged.send(new ListObjectsV2Command({ Bucket })))).toBe(
      "403 SignatureDoesNotMatch",
    );
    expect(first.endpoint).not.toBe(second.endpoint);
    forged.destroy();
    for (const server of servers) await server[Symbol.asyncDispose]();
    await expect(fetch(first.endpoint)).rejects.toThrow("fetch failed");
  });

  test("a public bucket shows objects to anyone and 403 for missing keys", async () => {
    await using server = await startRadosgw();
    const Bucket = await server.createBucket(undefined, { publicRead: true });
    const client = s3Client(server);
    await client.send(new PutObjectCommand({ Bucket, Key: "a.html", Body: "one" }));

    expect((await fetch(`${server.endpoint}/${Bucket}/a.html`)).status).toBe(200);
    expect((await fetch(`${server.endpoint}/${Bucket}/b.html`)).status).toBe(403);
    client.destroy();
  });
});

describeWith("shared-radosgw", "radosgw behind the front", () => {
  let front: S3Front;
  let client: S3Client;
  let Bucket: string;

  beforeAll(async () => {
    const server = await sharedRadosgw();
    Bucket = await server.createBucket();
    front = await startS3Front(server);
    client = s3Client(front);
  });
  afterAll(async () => {
    client.destroy();
    await front[Symbol.asyncDispose]();
  });

  const put = (Key: string, Body: string, condition = {}) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body, ...condition }));

  test("PUT If-Match takes the ETag as S3 returns it", async () => {
    const { ETag } = await put("put/日本 +%e2.html", "one");
    expect(ETag).toMatch(/^"\w{32}"$/);
    await put("put/日本 +%e2.html", "two", { IfMatch: ETag });

    expect(await refusal(put("put/日本 +%e2.html", "three", { IfMatch: ETag }))).toBe(
      "412 PreconditionFailed",
    );
    expect(await refusal(put("put/missing.html", "one", { IfMatch: ETag }))).toBe("404 NoSuchKey");
    expect(await refusal(put("put/日本 +%e2.html", "one", { IfNoneMatch: "*" }))).toBe(
      "412 PreconditionFailed",
    );
  });

  test("of twenty conditional writers one wins", async () => {
    const { ETag } = await put("race.html", "start");
    const writers = Array.from({ length: 20 }, (_, n) =>
      put("race.html", `${n}`, { IfMatch: ETag }),
    );

    const results = await Promise.all(writers.map(refusal));
    expect(results.filter((result) => result === "accepted")).toHaveLength(1);
    expect(new Set(results)).toEqual(new Set(["accepted", "412 PreconditionFailed"]));
  });

  test("DELETE If-Match removes the version it names and no other", async () => {
    const { ETag: old } = await put("del.html", "one");
    const { ETag } = await put("del.html", "two");
    const remove = (IfMatch?: string) =>
      client.send(new DeleteObjectCommand({ Bucket, Key: "del.html", IfMatch }));

    expect(await refusal(remove(old))).toBe("412 PreconditionFailed");
    await remove(ETag);
    expect(await refusal(client.send(new HeadObjectCommand({ Bucket, Key: "del.html" })))).toBe(
      "404 NotFound",
    );
    expect(await refusal(remove(ETag))).toBe("404 NoSuchKey");
  });

  test("DeleteObjects keeps the keys whose ETag differs and says so", async () => {
    const { ETag: old } = await put("batch/a&b.html", "one");
    await put("batch/a&b.html", "two");
    const { ETag } = await put("batch/b.html", "one");
    const Objects = [
      { Key: "batch/a&b.html", ETag: old },
      { Key: "batch/b.html", ETag },
    ];

    const answer = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(answer.Deleted).toEqual([{ Key: "batch/b.html" }]);
    expect(answer.Errors).toEqual([
      expect.objectContaining({ Key: "batch/a&b.html", Code: "PreconditionFailed" }),
    ]);
  });

  test("a forged condition gets radosgw's own refusal", async () => {
    await put("forged.html", "one");
    const forger = s3Client({ ...front, secretAccessKey: "wrong" });
    const Key = "forged.html";
    const forged = forger.send(new DeleteObjectCommand({ Bucket, Key, IfMatch: "*" }));

    expect(await refusal(forged)).toBe("403 SignatureDoesNotMatch");
    forger.destroy();
  });

  test("in another time it refuses requests that are dated 15 minutes off, which the SDK then repeats", async () => {
    const nowMs = Date.UTC(2024, 1, 29, 23, 59);
    await using other = await startS3Front(await sharedRadosgw(), { nowMs: () => nowMs });
    const attempts = async (dateMs: number) => {
      const before = other.requests.length;
      const client = s3Client(other);
      client.config.systemClockOffset = dateMs - Date.now();
      await client.send(new PutObjectCommand({ Bucket, Key: "dated.html", Body: "one" }));
      client.destroy();
      return other.requests.length - before;
    };

    expect(await attempts(nowMs - 14 * 60_000)).toBe(1);
    expect(await attempts(nowMs - 16 * 60_000)).toBe(2);
    expect(await attempts(nowMs + 16 * 60_000)).toBe(2);
  });

  test("faults break the requests they are set for", async () => {
    const once = s3Client(front);
    once.config.retryMode = "standard";
    const tries = async (fault: Parameters<typeof front.faults.next>[1], times: number) => {
      front.faults.next(times, fault, ({ path }) => path.includes("/fault-"));
      return refusal(put(`fault-${times}.html`, "x"));
    };

    expect(await tries("slow-down", 2)).toBe("accepted");
    expect(await tries("slow-down", 3)).toBe("503 SlowDown");
    expect(await tries("internal-error", 3)).toBe("500 InternalError");
    expect(await tries("cut-before", 3)).toMatch(/ECONNRESET|TimeoutError|Error/);
    once.destroy();
  });

  test("a cut before the server leaves nothing, a cut after it has written", async () => {
    const exists = (Key: string) => client.send(new HeadObjectCommand({ Bucket, Key }));
    front.faults.next(3, "cut-before", ({ method }) => method === "PUT");
    await expect(put("cut-before.html", "x")).rejects.toThrow();
    front.faults.next(3, "cut-after", ({ method }) => method === "PUT");
    await expect(put("cut-after.html", "x")).rejects.toThrow();

    expect(await refusal(exists("cut-before.html"))).toBe("404 NotFound");
    expect(await refusal(exists("cut-after.html"))).toBe("accepted");
  });

  test("a rate with the same seed breaks the same requests", async () => {
    const pattern = async () => {
      front.faults.rate(0.5, { delayMs: 1 }, { seed: 7 });
      const seen: boolean[] = [];
      for (let n = 0; n < 12; n += 1) {
        const before = front.faults.injected;
        await put("rate.html", "x");
        seen.push(front.faults.injected > before);
      }
      front.faults.clear();
      return seen;
    };

    const first = await pattern();
    expect(new Set(first)).toEqual(new Set([true, false]));
    expect(await pattern()).toEqual(first);
  });
});
