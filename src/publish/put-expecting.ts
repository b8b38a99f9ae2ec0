import { PipelineError } from "../error.ts";
import type { Artifact } from "../site.ts";
import type { ObjectStore, StoredHead, Write } from "./store.ts";

/** How an object is put that somebody else may have written meanwhile. */
export interface Expecting extends Required<Pick<Write, "id">>, Pick<Write, "expected" | "copyOf"> {
  /** Asked before another hand's object, or its lack, is replaced; throws where it must not be. */
  readonly mayReplace: (key: string, found: StoredHead | undefined) => Promise<void>;
}

/**
 * Puts an object unless it is not the one expected. A refusal may be the answer to our own write,
 * whose first answer was lost: then the object carries our id and hash, and all is well. Any other
 * object is another hand's; it is replaced if it may be, once, and only as it was seen.
 * @throws PipelineError `store_conflict` when it changes again under our eyes
 */
export async function putExpecting(
  store: Pick<ObjectStore, "put" | "head">,
  artifact: Artifact,
  { id, expected, copyOf, mayReplace }: Expecting,
): Promise<string | undefined> {
  try {
    return await store.put(artifact, { id, expected, copyOf });
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== "store_conflict") throw error;
    const found = await store.head(artifact.key);
    if (found !== undefined && isOwn(found, artifact, id)) return found.etag;
    await mayReplace(artifact.key, found);
    return await store.put(artifact, { id, expected: found?.etag ?? null, copyOf });
  }
}

function isOwn({ writeId, hash }: StoredHead, artifact: Artifact, id: string): boolean {
  return writeId === id && hash === artifact.hash.toString("hex");
}
