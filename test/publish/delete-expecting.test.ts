import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type DeleteExpecting,
  type Doomed,
  deleteExpecting,
} from "../../src/publish/delete-expecting.ts";
import { s3Store } from "../../src/publish/s3-store.ts";
import type { DeleteConditions } from "../../src/publish/store.ts";
import { type MemoryS3, startMemoryS3 } from "../services/memory-s3.ts";
import { artifact, sorted } from "./artifact.ts";

const KEY = "a/index.html";
const version = (text: string) => artifact({ key: KEY, body: Buffer.from(text) });

let server: MemoryS3;
let client: S3Client;
beforeAll(async () => {
  server = await startMemoryS3();
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
});
beforeEach(() => server.objects.clear());
afterAll(async () => {
  client.destroy();
  await server[Symbol.asyncDispose]();
});

const open = () => s3Store({ client, bucket: server.bucket });

/** What another hand puts: no metadata of ours. */
async function putByHand(key: string, text: string): Promise<void> {
  await client.send(new PutObjectCommand({ Bucket: server.bucket, Key: key, Body: text }));
}

/** Deletes with what was known; tells what became of it and of which was asked. */
async function deleting(doomed: readonly Doomed[], parts: Partial<DeleteExpecting> = {}) {
  const asked: string[] = [];
  const deleted = await deleteExpecting(open(), doomed, {
    conditions: "together",
    take: (work) => work(),
    mayDelete: async ({ key }) => void asked.push(key),
    ...parts,
  });
  return { ...deleted, asked, left: await sorted(open().list("")) };
}

const known = async (text: string): Promise<Doomed> => {
  const made = version(text);
  return { key: KEY, etag: await open().put(made), hash: made.hash.toString("hex") };
};

describe.each(["together", "singly", "ignored"] as const)(
  "where conditions are kept %s",
  (conditions: DeleteConditions) => {
    test("an object that is what was known goes, and one that is gone is gone", async () => {
      const doomed = await known("1");
      const absent = { key: "b.html", etag: doomed.etag, hash: doomed.hash };

      expect(await deleting([doomed, absent], { conditions })).toEqual({
        gone: [KEY, "b.html"],
        foreign: [],
        asked: [],
        left: [],
      });
    });

    test("another hand's object stays, whether it was known what was there or not", async () => {
      const doomed = await known("1");
      await putByHand(KEY, "theirs");
      await putByHand("b.html", "theirs");
      const unknown = { key: "b.html", etag: undefined, hash: undefined };

      expect(await deleting([doomed, unknown], { conditions })).toEqual({
        gone: [],
        foreign: [KEY, "b.html"],
        asked: [],
        left: [KEY, "b.html"],
      });
    });

    test("what Nightbake put since is asked about, and goes as it was seen", async () => {
      const doomed = await known("1");
      await open().put(version("2"));

      const { gone, asked, left } = await deleting([doomed], { conditions });

      expect({ gone, asked, left }).toEqual({ gone: [KEY], asked: [KEY], left: [] });
    });

    test("what Nightbake put and nobody knows goes without a question", async () => {
      await open().put(version("1"));
      const doomed = { key: KEY, etag: undefined, hash: undefined };

      const { gone, asked, left } = await deleting([doomed], { conditions });

      expect({ gone, asked, left }).toEqual({ gone: [KEY], asked: [], left: [] });
    });
  },
);

test("an object that changes again while it is looked at is left for another time", async () => {
  const doomed = await known("1");
  await open().put(version("2"));
  const mayDelete = async () => void (await open().put(version("3")));

  const { gone, foreign, left } = await deleting([doomed], { mayDelete });

  expect({ gone, foreign, left }).toEqual({ gone: [], foreign: [], left: [KEY] });
});

test("an object that was put before there was metadata is known by its tag", async () => {
  await putByHand(KEY, "old");
  const etag = (await open().head(KEY))?.etag;

  const { gone } = await deleting([{ key: KEY, etag, hash: undefined }], { conditions: "ignored" });

  expect(gone).toEqual([KEY]);
});

test("objects that are what was known are deleted by one request", async () => {
  const doomed = await Promise.all(
    ["a", "b", "c"].map(async (key) => ({
      key,
      etag: await open().put(artifact({ key })),
      hash: undefined,
    })),
  );
  const before = server.writes();

  await deleting(doomed);

  expect(server.writes() - before).toBe(1);
});
