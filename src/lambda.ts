import type { BatchAnswer, Context, QueueEvent } from "./lambda/event.ts";
import type { HttpAnswer } from "./lambda/http-event.ts";
import { type Streaming, streamRuntime } from "./lambda/stream.ts";

// The functions that serverless.yml names. Each loads what it needs when it is called first.

/** Runs the jobs that the messages of a lane's queue name. */
export async function run(event: QueueEvent, context: Context): Promise<BatchAnswer> {
  const { runEvent } = await import("./lambda/run.ts");
  return await runEvent(event, context);
}

/** Helps the run that publishes. */
export async function help(event: QueueEvent, context: Context): Promise<BatchAnswer> {
  const { helpEvent } = await import("./lambda/help.ts");
  return await helpEvent(event, context);
}

/** Asks for what is due by the clock, and for what no message came for; EventBridge calls it each minute. */
export async function tick(): Promise<void> {
  const { tickEvent } = await import("./lambda/tick.ts");
  await tickEvent();
}

/** Answers the HTTP API behind API Gateway. */
export async function api(event: unknown, context: Context): Promise<HttpAnswer> {
  const { apiEvent } = await import("./lambda/api.ts");
  return await apiEvent(event, context);
}

const stream: Streaming = async (event, to, context) => {
  const { eventsEvent } = await import("./lambda/events.ts");
  await eventsEvent(event, to, context);
};

/** Streams the events of jobs, at a URL of its own: API Gateway passes answers on when they are whole. */
export const events = streamRuntime()?.streamifyResponse(stream) ?? stream;
