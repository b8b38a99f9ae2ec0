import { text } from "node:stream/consumers";
import type { Answering } from "../control/server.ts";
import type { Context } from "./event.ts";
import type { HttpAnswer } from "./http-event.ts";
import { once } from "./once.ts";
import { replyTo } from "./reply.ts";

const desk = once(async () => {
  const { openDesk } = await import("./desk.ts");
  return await openDesk("brief");
});

/** Answers a request that came to API Gateway, whole. */
export async function apiEvent(
  event: unknown,
  context: Pick<Context, "awsRequestId">,
  open: () => Promise<Answering> = desk,
): Promise<HttpAnswer> {
  const { status, headers, body } = await replyTo(event, context, { open });
  return { statusCode: status, headers, body: await text(body) };
}
