import { PipelineError } from "../error.ts";
import { helpOut } from "../pipeline.ts";
import { eachRecord } from "./batch.ts";
import { type Environment, type Invocation, withEnvironment, workerOf } from "./environment.ts";
import type { BatchAnswer, Context, QueueEvent } from "./event.ts";
import { openTime } from "./hand-on.ts";

/** A run that cuts no shards for so long is in another part: it calls again when it has some. */
const IDLE_MS = 10_000;

/** One invocation of the function `help`. */
export function helpEvent(event: QueueEvent, context: Context): Promise<BatchAnswer> {
  return withEnvironment(context, (opened, invocation) => helpRecords(opened, event, invocation));
}

/**
 * Helps the run that publishes until it needs none, or until there is no more time: then another
 * invocation is called. A call that comes too late does nothing.
 */
export async function helpRecords(
  opened: Environment,
  event: QueueEvent,
  invocation: Invocation,
): Promise<BatchAnswer> {
  const { clock, emit } = invocation;
  using time = openTime(clock);
  const { signal } = time;
  const { wired } = workerOf(opened, invocation, signal);
  return await eachRecord(event, emit, async ({ body }) => {
    checkCall(body);
    if (!(await isWanted(opened))) return;
    const helping = helpOut(wired, { signal, emit: () => {}, idleMs: IDLE_MS });
    const shards = await helping.catch((error: unknown) => {
      // Others do what this one could not, and the run calls more.
      emit({ event: "trouble", error });
    });
    if (shards !== undefined) emit({ event: "helped", shards });
    if (signal.aborted && shards !== undefined && (await isWanted(opened))) {
      await opened.queue.call?.(1);
    }
  });
}

/** Whether there is a shard that nobody has. */
async function isWanted({ wired: { ledger } }: Environment): Promise<boolean> {
  const crew = await ledger.crew(Date.now());
  if (crew === undefined) return false;
  return (await ledger.countShards(crew.run, Date.now())).open > 0;
}

/** @throws PipelineError `input_invalid` for what no run of ours called with */
function checkCall(body: string): void {
  try {
    if ((JSON.parse(body) as { readonly is?: unknown }).is === "help") return;
  } catch {
    // It is none.
  }
  throw new PipelineError("input_invalid", "A call for help is none of ours.", {
    hint: "It goes to the dead letters: see who else sends to this queue.",
  });
}
