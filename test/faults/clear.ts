import { expect } from "vitest";
import { PipelineError } from "../../src/error.ts";

/** An expected failure with a hint; nothing that would be a bug. */
export function expectClear(error: Error, said: string): void {
  if (!(error instanceof PipelineError)) throw new Error(said, { cause: error });
  expect(error.code, said).toMatch(/^(?:store|cdn)_(?:unavailable|rejected|throttled|conflict)$/);
  expect(error.hint, said).toMatch(/^[A-Z].+\.$/);
}
