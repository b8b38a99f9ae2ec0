import { PipelineError } from "../error.ts";
import type { Answer } from "./http.ts";
import { within } from "./within.ts";

/** Something that a clone needs for its work. */
export interface Check {
  /** `ledger`, `store`, `queue`, `release` */
  readonly name: string;
  /** @throws PipelineError when it cannot be used */
  look(): Promise<void>;
}

/** What does not answer in so long counts as not there, ms. */
const PATIENCE_MS = 3000;

/** An answer that is so old is given again, ms: anybody may ask, and a look at a bucket costs something. */
const FRESH_MS = 2000;

/**
 * Answers whether all is as it should be: 200, or 503 with the codes of what is not. Their messages
 * are for the log, since anybody may ask. `now` in ms.
 */
export function readiness(checks: readonly Check[], now: () => number): () => Promise<Answer> {
  let last: { readonly at: number; readonly answer: Promise<Answer> } | undefined;
  return async () => {
    if (last === undefined || now() - last.at >= FRESH_MS)
      last = { at: now(), answer: look(checks) };
    return await last.answer;
  };
}

async function look(checks: readonly Check[]): Promise<Answer> {
  const entries = await Promise.all(checks.map(async (each) => [each.name, await stateOf(each)]));
  const isReady = entries.every(([, state]) => state === "ok");
  const json = { status: isReady ? "ok" : "unavailable", checks: Object.fromEntries(entries) };
  return { status: isReady ? 200 : 503, json };
}

async function stateOf({ look }: Check): Promise<string> {
  const found = look().then(
    () => "ok",
    (error: unknown) => (error instanceof PipelineError ? error.code : "bug"),
  );
  return await within(PATIENCE_MS, found, "no answer");
}
