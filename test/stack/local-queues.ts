import { startFauxqs } from "fauxqs";
import type { resolver } from "./resolve.ts";
import { ofType, type Template } from "./template.ts";

/** A queue as those who deliver see it. */
export interface LocalQueue {
  /** The next messages, for so long nobody else's. */
  receive(): Promise<readonly LocalMessage[]>;
  delete(message: LocalMessage): Promise<void>;
}

export interface LocalMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
}

/** The queues of a template, in a server of their own. */
export interface LocalQueues extends AsyncDisposable {
  readonly origin: string;
  /** By the queue's name. */
  at(name: string): LocalQueue;
  /** By its resource. */
  waiting(id: string): readonly string[];
  send(id: string, text: string): void;
}

interface Described {
  readonly QueueName: string;
  readonly RedrivePolicy?: object;
}

export async function openLocalQueues(
  template: Template,
  of: { readonly resolve: ReturnType<typeof resolver>; readonly visibleSeconds: number },
): Promise<LocalQueues> {
  const server = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false });
  const names = new Map<string, string>();
  for (const [id, { Properties }] of ofType(template, "AWS::SQS::Queue")) {
    const { QueueName, RedrivePolicy } = of.resolve(Properties) as Described;
    names.set(id, QueueName);
    const dead = RedrivePolicy && { RedrivePolicy: JSON.stringify(RedrivePolicy) };
    const VisibilityTimeout = String(of.visibleSeconds);
    server.createQueue(QueueName, { attributes: { VisibilityTimeout, ...dead } });
  }
  const origin = `http://127.0.0.1:${server.port}`;
  const nameOf = (id: string) => names.get(id) ?? "";
  return {
    origin,
    at: (name) => queueAt(`${origin}/000000000000/${name}`),
    waiting(id) {
      const { ready = [], delayed = [] } = server.inspectQueue(nameOf(id))?.messages ?? {};
      return [...ready, ...delayed].map(({ body }) => body);
    },
    send: (id, text) => void server.sendMessage(nameOf(id), text),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

function queueAt(QueueUrl: string): LocalQueue {
  const ask = async (action: string, asked: object) => {
    const response = await fetch(new URL(QueueUrl).origin, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": `AmazonSQS.${action}`,
      },
      body: JSON.stringify({ QueueUrl, ...asked }),
    });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json().catch(() => ({}))) as { Messages?: readonly Message[] };
  };
  return {
    async receive() {
      const { Messages = [] } = await ask("ReceiveMessage", { MaxNumberOfMessages: 10 });
      return Messages.map(({ MessageId, ReceiptHandle, Body }) => ({
        messageId: MessageId,
        receiptHandle: ReceiptHandle,
        body: Body,
      }));
    },
    delete: async ({ receiptHandle }) =>
      void (await ask("DeleteMessage", { ReceiptHandle: receiptHandle })),
  };
}

interface Message {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
  readonly Body: string;
}
