import pLimit from "p-limit";
import { PipelineError } from "../error.ts";
import type { Artifact } from "../site.ts";
import type { ObjectStore } from "./store.ts";

/** What became of one artifact: stored, with the store's entity tag, or not. */
export type PutResult = { readonly etag: string | undefined } | { readonly error: PipelineError };

export interface PutAllOptions {
  /** Puts under way at once. */
  readonly concurrency: number;
  readonly signal?: AbortSignal;
  /** Called after each put that succeeded, in the order in which they end. */
  readonly onPut?: (artifact: Artifact) => void;
}

/**
 * Puts a batch of artifacts; results are in the order of `artifacts`. Safe to repeat.
 *
 * A failure that is one object's own is a value: its key is refused (the error's `at` names the
 * key), or the store did not answer for it after every retry. What all others would meet too is
 * thrown, after the puts under way have ended: the store refuses us, or no put got through.
 * @throws PipelineError `store_rejected`, `store_unavailable`, `interrupted`
 */
export async function putAll(
  store: Pick<ObjectStore, "put">,
  artifacts: readonly Artifact[],
  { concurrency, signal, onPut }: PutAllOptions,
): Promise<readonly PutResult[]> {
  const stops: unknown[] = [];
  const putOne = async (artifact: Artifact): Promise<PutResult> => {
    if (signal?.aborted) stops.push(interrupted());
    if (stops.length > 0) return { etag: undefined };
    try {
      const etag = await store.put(artifact);
      onPut?.(artifact);
      return { etag };
    } catch (error) {
      if (error instanceof PipelineError && isOwn(error)) return { error };
      stops.push(error);
      return { etag: undefined };
    }
  };

  const results = await pLimit(concurrency).map(artifacts, putOne);
  if (stops.length > 0) throw stops[0];
  const [first] = results;
  if (first && "error" in first && results.every(isUnavailable)) throw first.error;
  return results;
}

function isOwn(error: PipelineError): boolean {
  return error.retryable || error.at["key"] !== undefined;
}

function isUnavailable(result: PutResult): boolean {
  return "error" in result && result.error.code === "store_unavailable";
}

function interrupted(): PipelineError {
  return new PipelineError("interrupted", "The run was stopped before all objects were put.", {
    hint: "Run again; it goes on where this one stopped.",
  });
}
