import { afterAll, beforeAll, describe } from "vitest";
import { openS3Store } from "../../src/publish/s3-store.ts";
import { type MemoryS3, startMemoryS3 } from "../services/memory-s3.ts";
import { describeConditions } from "./conditions-contract.ts";
import { describeDeletes } from "./deletes-contract.ts";
import { describeObjectStore } from "./store-contract.ts";

let server: MemoryS3;
beforeAll(async () => {
  server = await startMemoryS3();
});
afterAll(() => server[Symbol.asyncDispose]());

async function open() {
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = server;
  server.objects.clear();
  return openS3Store({ endpoint, region, bucket, credentials: { accessKeyId, secretAccessKey } });
}

describeObjectStore("S3 in memory", open, { keepsHeaders: true });
describe("S3 in memory", () => {
  describeConditions(open);
  describeDeletes(open, { isSingle: false });
  describeDeletes(open, { isSingle: true });
});
