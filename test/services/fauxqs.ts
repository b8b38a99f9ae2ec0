import { randomUUID } from "node:crypto";
import { startFauxqs as start } from "fauxqs";
import { LANES } from "../../src/jobs/job.ts";
import { createBucket, type S3Address } from "./s3.ts";

/**
 * An S3 and SQS server inside this process. Quick, but it ignores conditional headers, signatures and policies
 * and has no versions: what rests on those is tested on radosgw.
 */
export interface Fauxqs extends S3Address, AsyncDisposable {
  createBucket(name?: string): Promise<string>;
  /** Makes a queue and gives its URL; attributes as in SQS, e.g. `{ VisibilityTimeout: "2" }`. */
  createQueue(name: string, attributes?: Readonly<Record<string, string>>): string;
  /** Makes the queues of one site, as the stack does. */
  createQueues(maxReceiveCount?: number): Queues;
}

/** A queue for each lane and one for helpers, with dead letters. */
export interface Queues {
  /** What their URLs begin with: `SQS_QUEUE_URL`. */
  readonly url: string;
  /** Bodies of what waits in the queue of this name, delayed or not: `editor`, `help`, `dead`. */
  waiting(queue: string): readonly string[];
  send(queue: string, body: string): void;
}

/** Starts a private fauxqs on a free port. */
export async function startFauxqs(): Promise<Fauxqs> {
  const server = await start({ port: 0, host: "127.0.0.1", logger: false });
  const address = {
    endpoint: `http://127.0.0.1:${server.port}`,
    region: "us-east-1",
    accessKeyId: "test",
    secretAccessKey: "test",
  };
  return {
    ...address,
    createBucket: (name) => createBucket(address, name),
    createQueue: (name, attributes = {}) =>
      server.createQueue(name, { attributes: { ...attributes } }).queueUrl,
    createQueues(maxReceiveCount = 5) {
      const name = randomUUID();
      const { queueArn: deadLetterTargetArn } = server.createQueue(`${name}-dead`);
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount });
      for (const queue of [...LANES, "help"]) {
        server.createQueue(`${name}-${queue}`, { attributes: { RedrivePolicy } });
      }
      return {
        url: `${address.endpoint}/000000000000/${name}`,
        waiting(queue) {
          const { ready = [], delayed = [] } =
            server.inspectQueue(`${name}-${queue}`)?.messages ?? {};
          return [...ready, ...delayed].map(({ body }) => body);
        },
        send: (queue, body) => void server.sendMessage(`${name}-${queue}`, body),
      };
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
