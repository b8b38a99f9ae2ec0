import { Readable } from "node:stream";
import { HEADERS } from "../control/http.ts";
import { PROBLEM_TYPE, problemOf } from "../control/problem.ts";
import type { Answering, Reply } from "../control/server.ts";
import type { Context } from "./event.ts";
import { requestIn } from "./http-event.ts";
import { tell } from "./log.ts";

/**
 * The reply to the request that an event brings. What is none, and a function that cannot be opened, is a
 * problem document as all that is refused.
 */
export async function replyTo(
  event: unknown,
  { awsRequestId: id }: Pick<Context, "awsRequestId">,
  how: { readonly open: () => Promise<Answering>; readonly ending?: AbortSignal },
): Promise<Reply> {
  try {
    const request = requestIn(event);
    const answering = await how.open();
    return await answering.answer({ ...request, ...(how.ending && { ending: how.ending }) });
  } catch (error) {
    const problem = problemOf(error, id);
    const { status } = problem;
    tell({ event: "request", id, status, error });
    const headers = { ...HEADERS, "content-type": PROBLEM_TYPE, "x-request-id": id };
    return { status, headers, body: Readable.from([JSON.stringify(problem)]) };
  }
}
