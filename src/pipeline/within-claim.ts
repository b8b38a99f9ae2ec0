import { PipelineError } from "../error.ts";
import type { Request } from "../publish/store.ts";
import type { BuildOptions, Wired } from "./run.ts";

/** What a run's writes need of its claim. */
export interface WithinClaim {
  /** Claims again if the claim may have ended, e.g. because the process was suspended. */
  readonly stay: () => Promise<void>;
  /** The moment (ms) from which another run may publish. @throws PipelineError `run_conflict` when it has come */
  readonly until: () => number;
  /** What was asked for may take place up to then, also if the run ends before. */
  readonly onLost: () => void;
  /** So long (ms) it may. */
  readonly lateMs: () => number;
}

/**
 * The pipeline as the run that publishes uses it. Entity tags cover bytes only, so that a content that
 * comes back would let in a write from before; therefore none takes place after the run's claim, and
 * the run does not end while one may.
 */
export function withinClaim(
  wired: Wired,
  { stay, lateMs, ...request }: WithinClaim,
  options: Pick<BuildOptions, "emit">,
): Wired {
  const { store, ledger } = wired;
  return {
    ...wired,
    store: {
      ...store,
      async put(artifact, write) {
        await stay();
        return await store.put(artifact, { ...write, ...both(request, write) });
      },
      async delete(keys, deletion) {
        await stay();
        return await store.delete(keys, { ...deletion, ...both(request, deletion) });
      },
    },
    ledger: {
      ...ledger,
      async finish(...of) {
        await outlast(wired, lateMs(), options);
        await ledger.finish(...of);
      },
    },
  };
}

/** What a request says that a part of a run makes: it ends with the part, and with the run. */
function both(own: Required<Request>, inner: Request = {}): Request {
  return {
    until: () => Math.min(own.until?.() ?? Infinity, inner.until?.() ?? Infinity),
    onLost() {
      own.onLost?.();
      inner.onLost?.();
    },
  };
}

/** Waits so long (ms), until nothing that was asked of the store can take place any more. */
export async function outlast(
  { store, sleep }: Pick<Wired, "store" | "sleep">,
  ms: number,
  { emit }: Pick<BuildOptions, "emit">,
): Promise<void> {
  if (ms === 0) return;
  const message = `The ${store.name} did not answer all that it was asked, which may take place for ${Math.ceil(ms / 1000)} seconds yet; this run ends then.`;
  emit({ event: "note", message });
  await sleep(ms);
}

/** The error of a run that would write after its claim. */
export function claimEnded(): PipelineError {
  const message = "The claim of this run ended before the store could be asked.";
  return new PipelineError("run_conflict", message, {
    hint: "Run it again; it plans from what is live now.",
  });
}
