/**
 * A process to be killed: `child.ts ASKED`, as JSON. Says `ready` when it is about to begin. It ends with 0,
 * or with 1 and the code of its error on the standard error.
 */
import { writeSync } from "node:fs";
import { PipelineError } from "../../src/error.ts";
import { type Asked, obey, openWired } from "./asked.ts";
import { withPoints } from "./points.ts";

const asked: Asked = JSON.parse(process.argv[2] ?? "");
const { killAt, attempt } = asked;
await using wired = await openWired(asked, attempt);
let points = 0;
const pointed = withPoints(wired, () => {
  points += 1;
  // Nothing runs after this: no finally, no exit handler, no write that was put off.
  if (points === killAt) process.kill(process.pid, "SIGKILL");
});
writeSync(1, "ready\n");
try {
  await obey(pointed, asked);
} catch (error) {
  writeSync(2, error instanceof PipelineError ? error.code : String(error));
  process.exitCode = 1;
}
