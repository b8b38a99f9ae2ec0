import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Answering, Reply } from "../control/server.ts";
import type { Context } from "./event.ts";
import { type Clock, clockOf } from "./hand-on.ts";
import { withReply } from "./reply.ts";
import { streamRuntime } from "./stream.ts";

/** Left for the last piece when a stream is ended: its client comes back behind it, to another invocation. */
const END_MS = 5_000;

async function desk(): Promise<Answering> {
  const { openDesk } = await import("./desk.ts");
  return await openDesk("open");
}

/** Answers a request that came to a function URL, piece by piece; a stream ends before the function has to. */
export async function eventsEvent(
  event: unknown,
  to: Writable,
  context: Context,
  { open = desk, clock = clockOf(context) }: EventsParts = {},
): Promise<void> {
  const ending = new AbortController();
  const end = () => ending.abort();
  to.once("close", end).once("error", end);
  const cancel = clock.alarm(Math.max(0, clock.remainingMs() - END_MS), end);
  try {
    await withReply(event, context, { open, ending: ending.signal }, (reply) => passOn(reply, to));
  } catch (error) {
    // Whoever has gone misses nothing.
    if (!ending.signal.aborted) throw error;
  } finally {
    cancel();
  }
}

async function passOn({ status, headers, body }: Reply, to: Writable): Promise<void> {
  const stream =
    streamRuntime()?.HttpResponseStream.from(to, { statusCode: status, headers }) ?? to;
  // Status and headers go out with it, also when nothing else comes for a while, or ever.
  stream.write("");
  await pipeline(body, stream);
}

/** For tests. */
interface EventsParts {
  readonly open?: () => Promise<Answering>;
  readonly clock?: Clock;
}
