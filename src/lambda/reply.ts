import { Readable } from "node:stream";
import { HEADERS } from "../control/http.ts";
import { PROBLEM_TYPE, problemOf } from "../control/problem.ts";
import type { Answering, Reply } from "../control/server.ts";
import type { Context } from "./event.ts";
import { requestIn } from "./http-event.ts";
import { tell } from "./log.ts";

/**
 * Passes on the reply to the request that an event brings, then closes what was opened for it. What is none, and a
 * function that cannot be opened, is a problem document as all that is refused.
 */
export async function withReply<T>(
  event: unknown,
  { awsRequestId: id }: Pick<Context, "awsRequestId">,
  how: { readonly open: () => Promise<Answering>; readonly ending?: AbortSignal },
  pass: (reply: Reply) => Promise<T>,
): Promise<T> {
  await using parts = new AsyncDisposableStack();
  const reply = await answered(event, { ...how, parts }).catch((error) => refusal(error, id));
  return await pass(reply);
}

async function answered(
  event: unknown,
  { open, ending, parts }: Parameters<typeof withReply>[2] & { parts: AsyncDisposableStack },
): Promise<Reply> {
  const request = requestIn(event);
  const answering = parts.use(await open());
  return await answering.answer({ ...request, ...(ending && { ending }) });
}

function refusal(error: unknown, id: string): Reply {
  const problem = problemOf(error, id);
  const { status } = problem;
  tell({ event: "request", id, status, error });
  const headers = { ...HEADERS, "content-type": PROBLEM_TYPE, "x-request-id": id };
  return { status, headers, body: Readable.from([JSON.stringify(problem)]) };
}
