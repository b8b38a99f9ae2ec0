import { PipelineError } from "../error.ts";
import type { Job } from "../jobs/job.ts";
import type { WorkerEvent } from "../jobs/worker.ts";
import type { Io } from "./command.ts";
import { count, duration } from "./format.ts";
import { plain } from "./terminal.ts";

/** Says what a worker tells, in lines or as JSON. */
export function workerTeller(io: Io, isJson: boolean): (event: WorkerEvent) => void {
  let trouble: string | undefined;
  return (event) => {
    if (event.event === "trouble") {
      const said = messageOf(event.error);
      // An outage is told once, not each second.
      if (said !== trouble) write(io, isJson, { event: "trouble", message: said }, said);
      trouble = said;
      return;
    }
    trouble = undefined;
    write(io, isJson, event, textOf(event));
  };
}

function write(io: Io, isJson: boolean, event: object, text: string): void {
  if (isJson) io.out.write(`${JSON.stringify(event)}\n`);
  else io.err.write(`${plain(text)}\n`);
}

function textOf(event: Exclude<WorkerEvent, { readonly event: "trouble" }>): string {
  if (event.event === "outdated") {
    return `release_outdated: other code (${event.current}) was activated after this (${event.code}); nothing is taken until this is current again.`;
  }
  if (event.event === "current") return `This code (${event.code}) is current again.`;
  const { job } = event;
  const name = `Job ${job.id} (${job.work.is}, ${job.lane})`;
  if (event.event === "started") return `${name} started, attempt ${job.attempts}.`;
  return `${name} ${becameOf(job)}`;
}

function becameOf({ state, error, outcome, startAt }: Job): string {
  if (state === "done" && outcome !== undefined) {
    const { changed, deleted, failed, seconds } = outcome;
    const failures = failed > 0 ? `, ${count(failed)} failed` : "";
    return `is done: ${count(changed)} changed, ${count(deleted)} deleted${failures}; live ${duration(seconds)} after it was asked for.`;
  }
  if (state === "failed") return `failed: ${error?.code}: ${error?.message}`;
  if (state === "cancelled") return "was cancelled.";
  const ms = Math.max(0, startAt / 1000 - Date.now());
  const why = error === undefined ? "" : ` after ${error.code}: ${error.message}`;
  return `waits again, for ${duration(ms / 1000)}${why}.`;
}

function messageOf(error: unknown): string {
  return error instanceof PipelineError ? `${error.code}: ${error.message}` : String(error);
}
