/**
 * A process that works on runs: `child.ts build|help`, with the settings of `nightbake` in its environment.
 * `build` publishes once and lets others help, when no other does any more; `help` does until SIGTERM. Each tells its
 * events as lines of JSON.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { readProcessConfig } from "../../src/config.ts";
import { PipelineError } from "../../src/error.ts";
import { build, CREW, helpOut, type Wired } from "../../src/pipeline.ts";
import { openBuild } from "../../src/wiring.ts";

const [role] = process.argv.slice(2);
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
const { signal } = stop;
const tell = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);

await using opened = await openBuild(readProcessConfig());
const took: number[] = [];
const wired = timed(opened);
const pages = Number(process.env["SHARD_PAGES"] ?? CREW.pages);
const leaseMs = Number(process.env["SHARD_LEASE_MS"] ?? CREW.leaseMs);
const crew = { ...CREW, pages, leaseMs };
const runLeaseMs = Number(process.env["RUN_LEASE_MS"] ?? 30_000);
tell({ event: "ready" });
try {
  if (role === "build") await publishInTurn();
  else await help();
} catch (error) {
  tell({ event: "error", code: error instanceof PipelineError ? error.code : String(error) });
  process.exitCode = 1;
}
tell({ event: "shards", took });

async function publishInTurn(): Promise<void> {
  for (;;) {
    try {
      return await publish();
    } catch (error) {
      if (!(error instanceof PipelineError) || error.code !== "run_conflict") throw error;
      await sleep(200);
    }
  }
}

async function publish(): Promise<void> {
  await build(
    { ...wired, crew, leaseMs: runLeaseMs },
    {
      ...{ allowDeletes: true, isDryRun: false, signal },
      emit(event) {
        const at = performance.now();
        if (event.event === "phase" || event.event === "progress") tell({ ...event, at });
        else if (event.event === "summary")
          tell({ event: "done", changed: event.summary.changed, at });
      },
    },
  );
}

async function help(): Promise<void> {
  while (!signal.aborted) {
    try {
      await helpOut(wired, { signal, emit: () => {}, terms: crew });
    } catch (error) {
      if (!(error instanceof PipelineError) || !error.retryable) throw error;
    }
    await sleep(50);
  }
}

/** The same parts; notes how long (ms) each shard took that was done. */
function timed(parts: Wired): Wired {
  const begun = new Map<string, number>();
  const { ledger } = parts;
  return {
    ...parts,
    ledger: {
      ...ledger,
      async takeShard(...of) {
        // Lets others come first.
        await sleep(Number(process.env["PAUSE_MS"] ?? 0));
        const taken = await ledger.takeShard(...of);
        if (taken !== undefined) begun.set(taken.holder, performance.now());
        return taken;
      },
      async finishShard(taken, report) {
        await ledger.finishShard(taken, report);
        took.push(Math.round(performance.now() - (begun.get(taken.holder) ?? 0)));
        if (process.env["TELLS_SHARDS"] !== undefined) tell({ event: "shard" });
      },
    },
  };
}
