import type { ServerResponse } from "node:http";
import { Writable } from "node:stream";
import { openAnswering, type ServerOptions, type ServerParts } from "../../src/control/server.ts";
import { eventsEvent } from "../../src/lambda/events.ts";
import type { StreamHead } from "../../src/lambda/stream.ts";
import { eventOf, kept, openFront } from "./gateway.ts";

/** Between what is told of an answer and its pieces (Lambda, "Response streaming"). */
const SEPARATOR = Buffer.alloc(8);

/** As the runtime's stream: its first piece is preceded by what `from` was told. */
class AnswerStream extends Writable {
  head: StreamHead | undefined;
  #hasBegun = false;

  override write(piece: unknown, ...rest: never[]): boolean {
    if (!this.#hasBegun && this.head !== undefined) {
      super.write(JSON.stringify(this.head));
      super.write(SEPARATOR);
    }
    this.#hasBegun = true;
    return super.write(piece, ...rest);
  }
}

/** What Lambda's runtime has as the global `awslambda`. */
export const runtime = {
  streamifyResponse: <T>(streaming: T) => streaming,
  HttpResponseStream: {
    from(to: Writable, head: StreamHead): Writable {
      if (to instanceof AnswerStream) to.head = head;
      return to;
    },
  },
};

/** One call of the function. */
export interface Invocation {
  /** When it asked to be woken, and what wakes it. */
  readonly alarms: readonly { readonly ms: number; readonly ring: () => void }[];
  readonly ended: Promise<void>;
}

/** A function URL that streams, before our function, whose time ends when a test says so. */
export function functionUrl(invocations: Invocation[], remainingMs = 900_000) {
  return async (parts: ServerParts, options: ServerOptions) => {
    const answering = await openAnswering(parts, options);
    const open = async () => kept(answering);
    const front = await openFront(async (request, response) => {
      const event = await eventOf(request);
      const awsRequestId = `invocation-${invocations.length}`;
      const context = { awsRequestId, getRemainingTimeInMillis: () => remainingMs };
      const alarms: { ms: number; ring: () => void }[] = [];
      const clock = {
        remainingMs: () => remainingMs,
        alarm(ms: number, ring: () => void) {
          alarms.push({ ms, ring });
          return () => {};
        },
      };
      const ended = eventsEvent(event, passedOn(response), context, { open, clock });
      invocations.push({ alarms, ended });
      await ended;
    });
    return {
      url: front.url,
      async [Symbol.asyncDispose]() {
        await front[Symbol.asyncDispose]();
        await answering[Symbol.asyncDispose]();
      },
    };
  };
}

/** What the service behind the runtime does: status and headers, then the pieces as they come. */
function passedOn(response: ServerResponse): AnswerStream {
  let begun = Buffer.alloc(0);
  const to = new AnswerStream({
    write(piece: Buffer, _, done) {
      if (response.headersSent) return void response.write(piece, () => done());
      begun = Buffer.concat([begun, piece]);
      const at = begun.indexOf(SEPARATOR);
      if (at < 0) return done();
      const { statusCode, headers } = JSON.parse(begun.subarray(0, at).toString()) as StreamHead;
      response.writeHead(statusCode, headers).flushHeaders();
      response.write(begun.subarray(at + SEPARATOR.length), () => done());
    },
    final(done) {
      if (!response.headersSent) response.writeHead(502);
      response.end(() => done());
    },
  });
  response.once("close", () => to.destroy());
  return to;
}
