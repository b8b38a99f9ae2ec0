import { PipelineError } from "../error.ts";
import type { Artifact } from "../site.ts";
import { type Slots, type Take, TRIES } from "./slots.ts";
import type { ObjectStore } from "./store.ts";

/** What became of one artifact: stored, with the store's entity tag, or not. */
export type PutResult = { readonly etag: string | undefined } | { readonly error: PipelineError };

export interface PutAllOptions {
  /** Where there is room for a put. */
  readonly take: Take;
  readonly rest: Slots["rest"];
  readonly signal?: AbortSignal;
  /** Called after each put that succeeded, in the order in which they end. */
  readonly onPut?: (artifact: Artifact) => void;
}

/** So many objects in a row that the store did not answer for are no fault of theirs. */
const MOST_IN_A_ROW = 3;

/**
 * Puts a batch of artifacts; results are in the order of `artifacts`. Safe to repeat.
 *
 * A failure that is one object's own is a value: its key is refused (the error's `at` names the
 * key), or the store did not answer for it after every try. What all others would meet too is
 * thrown, after the puts under way have ended: the store refuses us, or no put gets through.
 * @throws PipelineError `store_rejected`, `store_unavailable`, `interrupted`
 */
export async function putAll(
  store: Pick<ObjectStore, "put">,
  artifacts: readonly Artifact[],
  { take, rest, signal, onPut }: PutAllOptions,
): Promise<readonly PutResult[]> {
  const stops: unknown[] = [];
  let inARow = 0;
  const goOn = () => {
    if (signal?.aborted) throw interrupted();
    if (stops.length > 0) throw stops[0];
  };
  const putOne = async (artifact: Artifact): Promise<string | undefined> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await take(async () => {
          goOn();
          const etag = await store.put(artifact);
          onPut?.(artifact);
          return etag;
        });
      } catch (error) {
        if (!isUnanswered(error) || tries === TRIES || stops.length > 0) throw error;
        await rest(tries);
      }
    }
  };
  const results = await Promise.all(
    artifacts.map(async (artifact): Promise<PutResult> => {
      try {
        const etag = await putOne(artifact);
        inARow = 0;
        return { etag };
      } catch (error) {
        if (isUnanswered(error)) inARow += 1;
        if (!(error instanceof PipelineError) || !isOwn(error) || inARow >= MOST_IN_A_ROW) {
          stops.push(error);
          return { etag: undefined };
        }
        return { error };
      }
    }),
  );
  if (stops.length > 0) throw stops[0];
  const [first] = results;
  if (first && "error" in first && results.every(isUnavailable)) throw first.error;
  return results;
}

function isUnanswered(error: unknown): boolean {
  return error instanceof PipelineError && error.retryable;
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
