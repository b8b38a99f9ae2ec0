import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bullmqQueue } from "../../src/jobs/bullmq-queue.ts";
import { type RedisServer, startRedis } from "../services/redis.ts";
import { describeWith } from "../services/requires.ts";
import { describeQueue } from "./queue-contract.ts";

describeWith("redis", "Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  describeQueue("BullMQ", async () => {
    const name = randomUUID();
    return {
      open: async (nowMs) => bullmqQueue({ url: redis.url, name, ...(nowMs && { nowMs }) }),
    };
  });
});

test("Redis that does not answer is said to, without its password", async () => {
  await using queue = bullmqQueue({ url: "redis://:s3cret@127.0.0.1:1", name: "none" });

  const refused = queue.send([{ id: "a", lane: "editor", body: {} }]);

  await expect(refused).rejects.toMatchObject({
    code: "queue_unavailable",
    retryable: true,
    message: expect.not.stringContaining("s3cret"),
  });
});
