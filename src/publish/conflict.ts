import { PipelineError } from "../error.ts";

/** The error of a put whose expectation did not hold. */
export function conflict(store: string, key: string, cause?: unknown): PipelineError {
  const message = `The object ${key} in ${store} is not the one that was to be replaced.`;
  return new PipelineError("store_conflict", message, {
    hint: "Find out what else writes to this store; the next build puts the object right.",
    at: { key },
    cause,
  });
}
