import { text } from "node:stream/consumers";
import type { Answering } from "../control/server.ts";
import type { Context } from "./event.ts";
import type { HttpAnswer } from "./http-event.ts";
import { withReply } from "./reply.ts";

async function desk(): Promise<Answering> {
  const { openDesk } = await import("./desk.ts");
  return await openDesk("brief");
}

/** Answers a request that came to API Gateway, whole. */
export async function apiEvent(
  event: unknown,
  context: Pick<Context, "awsRequestId">,
  open: () => Promise<Answering> = desk,
): Promise<HttpAnswer> {
  return await withReply(event, context, { open }, async ({ status, headers, body }) => ({
    statusCode: status,
    headers,
    body: await text(body),
  }));
}
