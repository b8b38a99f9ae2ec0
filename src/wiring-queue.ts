import type { Config } from "./config.ts";
import { memoryQueue } from "./jobs/memory-queue.ts";
import type { Queue } from "./jobs/queue.ts";
import type { Ledger } from "./ledger/ledger.ts";

/**
 * Opens the queue of a ledger's jobs: in SQS, in Redis, or without either in this process, whose workers
 * then find the jobs of others in the ledger.
 */
export async function openQueue(config: Config, ledger: Pick<Ledger, "id">): Promise<Queue> {
  const { redisUrl, sqsQueueUrl: url, awsRegion: region } = config;
  if (url !== undefined) {
    const { sqsQueue } = await import("./jobs/sqs-queue.ts");
    return sqsQueue({ url, region, ...credentialsOf(config) });
  }
  if (redisUrl === undefined) return memoryQueue();
  // Imported late, as that of SQS: most commands need neither.
  const { bullmqQueue } = await import("./jobs/bullmq-queue.ts");
  return bullmqQueue({ url: redisUrl, name: ledger.id });
}

/** Keys that stand in `.env`, where the SDK does not look; without them it searches by itself. */
export function credentialsOf({ aws }: Config) {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = aws;
  if (accessKeyId === undefined || secretAccessKey === undefined) return {};
  const sessionToken = aws["AWS_SESSION_TOKEN"];
  const token = sessionToken === undefined ? {} : { sessionToken };
  return { credentials: { accessKeyId, secretAccessKey, ...token } };
}
