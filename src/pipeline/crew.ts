import { digestOf, hexOf } from "../site.ts";
import { printsOf } from "./describe.ts";
import type { Run, Wired } from "./run.ts";

/** How the phases of a run are shared among processes. */
export interface CrewTerms {
  /** Pages of a shard: what a process does between two looks at what else there is to do. */
  readonly pages: number;
  /** A process that stops answering for so long (ms) loses its shard to others. */
  readonly leaseMs: number;
  /** Who finds nothing to do looks again after so long (ms). */
  readonly pollMs: number;
  /**
   * Calls others, given how many shards nobody has and how many somebody; does not throw. Without it
   * they look by themselves whether a run wants help.
   */
  readonly call?: ((open: number, held: number) => Promise<void>) | undefined;
}

/** A shard of pages like the demo site's takes a process less than half a second. */
export const CREW: CrewTerms = { pages: 50, leaseMs: 10_000, pollMs: 200 };

/** What a process has to know of a run to work on it. */
export interface Brief {
  readonly release: number;
  /** µs; the moment as of which pages are made. */
  readonly now: number;
  /** ms; when the run began by its clock. */
  readonly beganMs: number;
  /** See {@link crewPrint}. */
  readonly print: string;
  readonly isStoreTrusted: boolean;
  readonly isCutOff: boolean;
  /** Somebody waits for it. */
  readonly isRebuild: boolean;
}

/** What a run tells those who help it. */
export function briefOf({ wired, context, rebuilt, release, seconds }: Run): Brief {
  const { now, isStoreTrusted, isCutOff } = context;
  const beganMs = Math.round(Date.now() - seconds() * 1000);
  const print = crewPrint(wired);
  return {
    release,
    now,
    beganMs,
    print,
    isStoreTrusted,
    isCutOff,
    isRebuild: rebuilt !== undefined,
  };
}

/** Digest of all that makes a page beside rows, and of where it goes: equal for processes that make the same. */
export function crewPrint(wired: Wired): string {
  const { assets, content, redirects, bodyEngine, store, ledger } = wired;
  const names = assets.map(({ key }) => key).sort();
  const files = [...content].map(([folder, each]) => [folder, each]);
  const parts = [printsOf(wired), names, files, redirects, bodyEngine, store.name, ledger.id];
  return hexOf(digestOf(parts));
}
