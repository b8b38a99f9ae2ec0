import { expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import { again } from "../../src/pipeline/again.ts";
import type { BuildOptions } from "../../src/pipeline.ts";
import { noRows } from "../../src/source/no-rows.ts";

const lost = new PipelineError("source_unavailable", "The database does not answer: ECONNRESET.");

/** Fails so often, before or after its rows are there; gives the number of runs and the pauses. */
async function runs(
  failures: number,
  options: { readonly isEarly?: boolean; readonly error?: Error } & Partial<BuildOptions> = {},
) {
  const { isEarly = false, error = lost, ...rest } = options;
  const pauses: number[] = [];
  const notes: string[] = [];
  let count = 0;
  const told = {
    signal: new AbortController().signal,
    emit: (event: { readonly event: string; readonly message?: string }) =>
      notes.push(event.message ?? ""),
  };
  const sleep = async (ms: number) => void pauses.push(ms);
  const outcome = await again({ sleep }, { ...told, ...rest }, async (hasBegun) => {
    count += 1;
    if (!isEarly) hasBegun(noRows);
    if (count <= failures) throw error;
    return "done";
  }).catch((failure: Error) => failure.message);
  return { outcome, count, pauses, notes };
}

test("a run whose rows are lost starts again after a growing pause, and says so", async () => {
  const message = `The run starts again with other rows: ${lost.message}`;

  expect(await runs(2)).toEqual({
    outcome: "done",
    count: 3,
    pauses: [1000, 2000],
    notes: [message, message],
  });
});

test("it does so five times at most", async () => {
  expect(await runs(9)).toMatchObject({ outcome: lost.message, count: 5 });
});

test("it does not when no rows were there yet, or for another reason", async () => {
  const refused = new PipelineError("source_rejected", "The database refuses.");

  expect(await runs(1, { isEarly: true })).toMatchObject({ outcome: lost.message, count: 1 });
  expect(await runs(1, { error: refused })).toMatchObject({ outcome: refused.message, count: 1 });
});

test("records are read again from their beginning; those that come but once are not repeated", async () => {
  async function* once() {}
  const often = { [Symbol.asyncIterator]: once };

  expect(await runs(1, { changes: often })).toMatchObject({ outcome: "done", count: 2 });
  expect(await runs(1, { changes: once() })).toMatchObject({ outcome: lost.message, count: 1 });
});
