import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { S3Client } from "@aws-sdk/client-s3";
import { expect, onTestFinished, test } from "vitest";
import { s3Error } from "../../src/publish/s3-errors.ts";
import { openS3Store, s3Store } from "../../src/publish/s3-store.ts";
import { artifact } from "./artifact.ts";

const credentials = { accessKeyId: "key", secretAccessKey: "secret" };
const region = "us-east-1";

/** Address of an S3 that answers so. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A store on an S3 that always answers the same; one attempt per request. */
async function storeOn(answer: RequestListener) {
  const endpoint = await serve(answer);
  const options = { endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 };
  const client = new S3Client(options);
  onTestFinished(() => client.destroy());
  return s3Store({ client, bucket: "site", prefix: "live" });
}

const xml = (status: number, body: string): RequestListener => {
  return (request, response) => {
    request
      .resume()
      .on("end", () => response.writeHead(status).end(`<?xml version="1.0"?>${body}`));
  };
};
const failure = (status: number, code: string) =>
  xml(status, `<Error><Code>${code}</Code><Message>Because.</Message></Error>`);

test("a key that survives a delete is named although S3 answered 200", async () => {
  const kept = "<Error><Key>live/b.html</Key><Code>AccessDenied</Code></Error>";
  const store = await storeOn(xml(200, `<DeleteResult>${kept}${kept}</DeleteResult>`));

  await expect(store.delete(["a.html", "b.html"])).rejects.toMatchObject({
    code: "store_rejected",
    message: "S3 kept 2 of the objects to delete, the first is b.html: AccessDenied.",
    at: { bucket: "site", key: "b.html" },
    hint: expect.stringContaining("s3:DeleteObject"),
  });
});

test.each([
  [503, "SlowDown", "store_unavailable"],
  [500, "InternalError", "store_unavailable"],
  [400, "RequestTimeout", "store_unavailable"],
  [409, "OperationAborted", "store_unavailable"],
  [400, "ExpiredToken", "store_rejected"],
  [403, "AccessDenied", "store_rejected"],
  [403, "RequestTimeTooSkewed", "store_rejected"],
  [301, "PermanentRedirect", "store_rejected"],
  [400, "AuthorizationHeaderMalformed", "store_rejected"],
  [418, "Whatever", "store_rejected"],
])("%i %s is %s, and not the fault of one object", async (status, name, code) => {
  const store = await storeOn(failure(status, name));

  await expect(store.put(artifact({ key: "a" }))).rejects.toMatchObject({
    code,
    message: expect.stringContaining(`put a in site: ${name}, Because.`),
    at: { bucket: "site" },
    hint: expect.stringMatching(/\.$/),
  });
});

test.each(["EntityTooLarge", "KeyTooLongError", "MetadataTooLarge"])(
  "%s is the object's own fault",
  async (name) => {
    const store = await storeOn(failure(400, name));

    await expect(store.put(artifact({ key: "a" }))).rejects.toMatchObject({
      code: "store_rejected",
      at: { key: "a" },
    });
  },
);

test("a missing object is undefined, a missing bucket is not", async () => {
  const [object, bucket] = await Promise.all(
    ["NoSuchKey", "NoSuchBucket"].map((name) => storeOn(failure(404, name))),
  );

  expect(await object?.get("a")).toBeUndefined();
  await expect(bucket?.get("a")).rejects.toMatchObject({ code: "store_rejected" });
});

test("an answer that is no S3 answer is reported as unavailable", async () => {
  const store = await storeOn((_, response) => response.writeHead(200).end("<html><p>Welcome"));

  await expect(store.check()).rejects.toMatchObject({ code: "store_unavailable" });
});

test("a refused connection is unavailable and names the cause", async () => {
  const client = new S3Client({
    endpoint: "http://127.0.0.1:1",
    region,
    credentials,
    maxAttempts: 1,
    forcePathStyle: true,
  });
  const store = s3Store({ client, bucket: "site" });

  await expect(store.check()).rejects.toMatchObject({
    code: "store_unavailable",
    message: expect.stringContaining("ECONNREFUSED"),
  });
  client.destroy();
});

test("missing credentials are refused, not waited for", () => {
  const cause = Object.assign(new Error("Could not load credentials"), {
    name: "CredentialsProviderError",
  });

  const error = s3Error(cause, { bucket: "site", doing: "list" });
  expect(error).toMatchObject({
    code: "store_rejected",
    hint: expect.stringContaining("credentials"),
  });
});

test("the SDK's own repetitions hide no slow-down", async () => {
  const answers = [failure(503, "SlowDown"), failure(500, "InternalError"), xml(200, "")];
  const endpoint = await serve((request, response) => answers.shift()?.(request, response));
  const told: string[] = [];
  const attempts = {
    begin: () => ({ epoch: told.push("begin") }),
    slow: ({ epoch }: { readonly epoch: number }) => void told.push(`slow ${epoch}`),
  };
  await using store = openS3Store({ endpoint, region, credentials, bucket: "site", attempts });

  await store.put(artifact({ key: "a" }));

  expect(told).toEqual(["begin", "slow 1", "begin", "begin"]);
});

test.each(["café", "tab\there", "line\nbreak", " outer", "outer "])(
  "metadata %j is a bug, not an error",
  async (value) => {
    await using store = openS3Store({ region, credentials, bucket: "site" });

    await expect(store.put(artifact({ key: "a", metadata: { tag: value } }))).rejects.toThrow(
      TypeError,
    );
  },
);
