import { afterAll, beforeAll } from "vitest";
import { openS3Store } from "../../src/publish/s3-store.ts";
import { type Fauxqs, startFauxqs } from "../services/fauxqs.ts";
import { describeObjectStore } from "./store-contract.ts";

let server: Fauxqs;
beforeAll(async () => {
  server = await startFauxqs();
});
afterAll(() => server[Symbol.asyncDispose]());

async function open(prefix: string) {
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const bucket = await server.createBucket();
  const credentials = { accessKeyId, secretAccessKey };
  return openS3Store({ endpoint, region, credentials, bucket, prefix });
}

describeObjectStore("fauxqs", () => open(""), { keepsHeaders: true });
describeObjectStore("fauxqs below a prefix", () => open("sites/a b"), { keepsHeaders: true });
