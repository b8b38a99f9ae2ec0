/**
 * One execution environment of a function, as Lambda has them: it loads the bundle once, then answers one event after
 * another. `CLOCK_MS` sets its clock. What it may not do is to know anything beside its own environment.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Asked } from "./environment.ts";

const aheadMs = Number(process.env["CLOCK_AHEAD_MS"] ?? 0);
const RealDate = Date;
if (aheadMs !== 0) {
  globalThis.Date = class extends RealDate {
    constructor(...of: readonly [] | ConstructorParameters<typeof RealDate>) {
      super(...((of.length === 0 ? [RealDate.now() + aheadMs] : of) as [number]));
    }

    static override now(): number {
      return RealDate.now() + aheadMs;
    }
  } as DateConstructor;
}

const functions = await import(pathToFileURL(join(process.cwd(), "lambda.mjs")).href);

process.on("message", async ({ name, event, id, remainingMs }: Asked) => {
  const endMs = performance.now() + remainingMs;
  const context = { awsRequestId: id, getRemainingTimeInMillis: () => endMs - performance.now() };
  try {
    process.send?.({ id, answer: (await functions[name](event, context)) ?? null });
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : "" });
  }
});
process.send?.({ id: "ready" });
