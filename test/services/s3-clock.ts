import { failure, type S3Answer, type S3Request } from "./s3-faults.ts";
import { dateOf, resign } from "./sigv4.ts";

/** Source: "Authenticating Requests: Using the Authorization Header" in the S3 API reference, RequestTimeTooSkewed. */
const SKEW_MS = 15 * 60_000;

export interface S3Clock {
  /** What time it is for clients, ms. */
  readonly nowMs: () => number;
  readonly secretAccessKey: string;
}

type Answer = (request: S3Request) => Promise<S3Answer>;

/**
 * The same server in another time: requests whose date is too far from that are refused as S3 refuses
 * them, and others are signed anew with the real one for the server behind.
 */
export function inTime(answer: Answer, { nowMs, secretAccessKey }: S3Clock): Answer {
  return async (request) => {
    const date = () => ({ date: new Date(nowMs()).toUTCString() });
    if (!(Math.abs(nowMs() - dateOf(request)) <= SKEW_MS)) {
      const refusal = failure(403, "RequestTimeTooSkewed");
      return { ...refusal, headers: { ...refusal.headers, ...date() } };
    }
    const headers = resign(request, { "x-amz-date": realDate() }, secretAccessKey);
    if (headers === undefined) return failure(403, "SignatureDoesNotMatch");
    const reply = await answer({ ...request, headers });
    return { ...reply, headers: { ...reply.headers, ...date() } };
  };
}

/** Tests may have faked the time of this process. */
function realDate(): string {
  const real = new Date(performance.timeOrigin + performance.now());
  return real.toISOString().replace(/[-:]|\.\d+/g, "");
}
