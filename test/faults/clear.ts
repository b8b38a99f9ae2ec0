import { expect } from "vitest";
import { PipelineError } from "../../src/error.ts";

/** A claim outlives a request whose answer was lost, so the next command of a scenario may meet it. */
const CLEAR = /^(?:store|cdn)_(?:unavailable|rejected|throttled|conflict)$|^run_conflict$/;

/** An expected failure with a hint; nothing that would be a bug. */
export function expectClear(error: Error, said: string): void {
  if (!(error instanceof PipelineError)) throw new Error(said, { cause: error });
  expect(error.code, said).toMatch(CLEAR);
  expect(error.hint, said).toMatch(/^[A-Z].+\.$/);
}
