import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
  type SQSClientConfig,
} from "@aws-sdk/client-sqs";
import { PipelineError } from "../error.ts";

/** Messages in one request to send (SQS, "Message quotas"). */
const BATCH = 10;
/** SQS that does not answer for so long is out of reach; what is sent then is found in the ledger. */
const ANSWER_MS = 5_000;

/** Where the queues are, and who asks. */
export interface SqsAddress {
  /** What the URLs of the queues begin with. */
  readonly url: string;
  /** Of queues whose URL does not say. */
  readonly region?: string | undefined;
  readonly credentials?: NonNullable<SQSClientConfig["credentials"]>;
}

/** A message that was handed out. */
export interface Received {
  readonly text: string;
  /** Names it towards SQS until its time is over. */
  readonly receipt: string;
}

/** What we ask of queues whose names have one beginning. @throws PipelineError `queue_unavailable` */
export interface SqsQueues extends Disposable {
  send(
    queue: string,
    messages: readonly { readonly text: string; readonly delaySeconds: number }[],
  ): Promise<void>;
  /** The next one, for so long nobody else's; undefined when there is none within `waitSeconds` (20 at most). */
  receive(
    queue: string,
    of: {
      readonly waitSeconds: number;
      readonly visibleSeconds: number;
      readonly signal: AbortSignal;
    },
  ): Promise<Received | undefined>;
  /** From now on it is nobody else's for so long. */
  keep(queue: string, receipt: string, seconds: number): Promise<void>;
  delete(queue: string, receipt: string): Promise<void>;
  /** Those that wait, delayed ones too; about. */
  count(queue: string): Promise<number>;
}

/** Queues of SQS, named by what follows the common beginning of their URLs: `editor`. */
export function openSqs({ url, region, credentials }: SqsAddress): SqsQueues {
  const client = new SQSClient({
    endpoint: new URL(url).origin,
    region: /^https:\/\/sqs\.([a-z0-9-]+)\./.exec(url)?.[1] ?? region ?? "us-east-1",
    ...(credentials && { credentials }),
  });
  const of = (queue: string) => ({ QueueUrl: `${url}-${queue}` });
  const abortSignal = () => ({ abortSignal: AbortSignal.timeout(ANSWER_MS) });
  return {
    async send(queue, messages) {
      for (let start = 0; start < messages.length; start += BATCH) {
        const Entries = messages.slice(start, start + BATCH).map(({ text, delaySeconds }, at) => ({
          ...{ Id: String(at), MessageBody: text, DelaySeconds: delaySeconds },
        }));
        const command = new SendMessageBatchCommand({ ...of(queue), Entries });
        const { Failed = [] } = await answered(queue, client.send(command, abortSignal()));
        if (Failed[0] !== undefined) throw refused(queue, Failed[0].Code);
      }
    },
    async receive(queue, { waitSeconds, visibleSeconds, signal }) {
      const command = new ReceiveMessageCommand({
        ...{ ...of(queue), MaxNumberOfMessages: 1 },
        ...{ WaitTimeSeconds: waitSeconds, VisibilityTimeout: visibleSeconds },
      });
      const late = AbortSignal.timeout(ANSWER_MS + waitSeconds * 1000);
      const asked = client.send(command, { abortSignal: AbortSignal.any([signal, late]) });
      const [message] = (await answered(queue, asked)).Messages ?? [];
      const { Body: text = "", ReceiptHandle: receipt } = message ?? {};
      return receipt === undefined ? undefined : { text, receipt };
    },
    async keep(queue, ReceiptHandle, VisibilityTimeout) {
      const asked = { ...of(queue), ReceiptHandle, VisibilityTimeout };
      const command = new ChangeMessageVisibilityCommand(asked);
      await answered(queue, client.send(command, abortSignal()));
    },
    async delete(queue, ReceiptHandle) {
      const command = new DeleteMessageCommand({ ...of(queue), ReceiptHandle });
      await answered(queue, client.send(command, abortSignal()));
    },
    async count(queue) {
      const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"] as const;
      const command = new GetQueueAttributesCommand({ ...of(queue), AttributeNames: [...names] });
      const { Attributes = {} } = await answered(queue, client.send(command, abortSignal()));
      return names.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
    },
    [Symbol.dispose]: () => client.destroy(),
  };
}

async function answered<T>(queue: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (cause) {
    throw refused(queue, cause instanceof Error ? cause.name : undefined, cause);
  }
}

function refused(queue: string, reason = "no reason is given", cause?: unknown): PipelineError {
  const message = `SQS does not do what is asked of the queue ${queue}: ${reason}.`;
  return new PipelineError("queue_unavailable", message, {
    hint: "Check SQS_QUEUE_URL, that its queues exist and that they may be used; jobs are kept in the ledger.",
    at: { queue },
    cause,
  });
}
