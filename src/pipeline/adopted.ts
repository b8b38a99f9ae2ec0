import { PipelineError } from "../error.ts";
import type { Adopted, LivePage } from "../ledger/ledger.ts";
import { bytesTag } from "../publish/bytes-tag.ts";
import { type Artifact, address } from "../site.ts";
import type { Begun } from "./begin.ts";
import type { Made } from "./make.ts";
import type { Run } from "./run.ts";

/** The ledger's note of how far the adoption of a store has come. */
export const ADOPTION = "adoption";
/** It is under way; it is done and objects wait for their pages; none waits any more. */
export const [BEGUN, OPEN, CLOSED] = ["begun", "open", "closed"] as const;

/** True while adopted objects may wait for their pages. */
export function isAdopting({ context }: Pick<Run, "context">): boolean {
  return context.notes.get(ADOPTION) === OPEN;
}

/**
 * What is adopted may be relied on only when all of it was looked at, and as long as nobody else
 * publishes to the store.
 * @throws PipelineError `adopt_unfinished`
 */
export function checkAdoption({ notes, isStoreTrusted }: Pick<Begun, "notes" | "isStoreTrusted">) {
  const state = notes.get(ADOPTION);
  if (state !== BEGUN && (state !== OPEN || isStoreTrusted)) return;
  const message =
    state === BEGUN
      ? "The adoption of this store was cut off, so the ledger knows only a part of it."
      : "The store is not the one that was adopted, or another ledger has published to it since.";
  throw new PipelineError("adopt_unfinished", message, {
    hint: "Run `nightbake verify --adopt` again; it begins anew.",
  });
}

/** What is adopted at the places of these pages, by object. */
export async function adoptedAt(
  run: Run,
  routes: readonly string[],
): Promise<ReadonlyMap<string, Adopted>> {
  if (!isAdopting(run)) return new Map();
  const found = await run.wired.ledger.adoptedAt(routes.map((route) => address(route).key));
  return new Map(found.map((each) => [each.object, each]));
}

/** What a page claims without a put: the adopted object at its route, when it is the very same. */
export function claimOf(
  { step, artifact }: Made,
  live: LivePage | undefined,
  adopted: ReadonlyMap<string, Adopted>,
): Adopted | undefined {
  const isHere = live === undefined || (live.hash === undefined && live.route === step.route);
  const found = adopted.get(artifact.key);
  return isHere && found !== undefined && isSame(found, artifact) ? found : undefined;
}

/** A store without headers holds nothing but bytes, so these are all there is to compare. */
function isSame({ hash, etag }: Adopted, artifact: Artifact): boolean {
  return hash === undefined ? etag === bytesTag(artifact.body) : artifact.hash.equals(hash);
}
