import { AsyncLocalStorage } from "node:async_hooks";
import type { S3Client } from "@aws-sdk/client-s3";
import { isUnanswered } from "./s3-errors.ts";
import type { Request } from "./store.ts";

/**
 * S3 refuses requests whose date is further than this from its own time, see "Authenticating requests:
 * using the Authorization header" in its API reference, RequestTimeTooSkewed.
 */
const SKEW_MS = 15 * 60_000;
/** A slow answer spoils what is known of S3's time, and each answer mends it. */
const ATTEMPTS = 3;

const requests = new AsyncLocalStorage<Request>();

/**
 * Sends what S3 carries out up to its `until` and refuses later, however long it was on its way or
 * its process suspended.
 */
export async function sendUntil<T>(request: Request, send: () => Promise<T>): Promise<T> {
  if (request.until === undefined) return await send();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await requests.run(request, send);
    } catch (error) {
      if (!isTooSkewed(error) || attempt === ATTEMPTS) throw error;
      request.until();
    }
  }
}

function isTooSkewed(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "RequestTimeTooSkewed" || isTooSkewed(error.cause);
}

/**
 * Lets the client do so: each attempt is dated as long before its end as S3 lets it live. What this
 * clock differs from S3's the client learns from every answer.
 */
export function limitRequests({ config, middlewareStack }: S3Client): void {
  const { signer } = config;
  config.signer = async (scheme) => {
    const plain = await signer(scheme);
    const sign: typeof plain.sign = (request, options) => {
      const until = requests.getStore()?.until?.();
      if (until === undefined) return plain.sign(request, options);
      // Dates are told in whole seconds: rounded down, S3 would refuse what comes in the last one.
      const endS = Math.ceil((until + config.systemClockOffset) / 1000);
      const signingDate = new Date(endS * 1000 - SKEW_MS);
      return plain.sign(request, { ...options, signingDate });
    };
    return Object.assign(Object.create(plain), { sign });
  };
  middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (isUnanswered(error)) requests.getStore()?.onLost?.();
        throw error;
      }
    },
    { name: "nightbakeLost", step: "finalizeRequest", priority: "low" },
  );
}
