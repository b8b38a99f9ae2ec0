import { PipelineError } from "../error.ts";
import { address, digest } from "../site.ts";
import type { Viewer } from "./viewer.ts";

/** Between two rounds; 95 % of invalidations are effective in 5 s. */
const PAUSE_MS = 2_000;
/** Time spent waiting in all. */
const GIVE_UP_MS = 60_000;

const COMPARE =
  "compare the distribution's origin and cache key with the store, and see that PROBE_URL is answered by it.";

/** Looks at changed pages through the CDN. */
export interface Probe {
  /** Where, for messages. */
  readonly name: string;
  /**
   * Those of these routes whose page readers still get as it was, when the time is up.
   * @throws PipelineError `interrupted`
   */
  stale(routes: readonly string[]): Promise<readonly string[]>;
}

interface ProbeOptions {
  readonly viewer: Viewer;
  /** The body that is published at a route; undefined when there is none any more. */
  readonly published: (route: string) => Promise<Uint8Array | undefined>;
  readonly sleep: (ms: number) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/** Fetches pages as readers do until each has the bytes that are published now. */
export function openProbe(options: ProbeOptions): Probe {
  return { name: options.viewer.name, stale: (routes) => probe(routes, options) };
}

async function probe(
  routes: readonly string[],
  { viewer, published, sleep, signal }: ProbeOptions,
): Promise<readonly string[]> {
  let left = routes;
  for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
    const isOld = await Promise.all(left.map((route) => isStale(route, { viewer, published })));
    left = left.filter((_, at) => isOld[at]);
    if (left.length === 0 || waitedMs >= GIVE_UP_MS) return left;
    if (signal?.aborted) throw interrupted(left.length);
    await sleep(PAUSE_MS);
  }
}

/**
 * The error of a run whose changes readers do not see though the CDN has completed them; `isAgain`
 * when the next run tells it again.
 */
export function staleAtEdge(
  routes: readonly string[],
  { name, isAgain }: Pick<Probe, "name"> & { readonly isAgain: boolean },
): PipelineError {
  const problems = routes.map((place) => ({ place, message: "It is not what is published." }));
  const message = `${routes.length} changed pages are still old at ${name}, though the CDN says that their invalidation has completed.`;
  return new PipelineError("cdn_stale", message, {
    hint: isAgain
      ? `The next run evicts them by path. If that does not help, ${COMPARE}`
      : `They were evicted by path already, so it is not done again. C${COMPARE.slice(1)}`,
    problems,
  });
}

function interrupted(left: number): PipelineError {
  const message = `The run was stopped before readers were seen to get ${left} changed pages.`;
  return new PipelineError("interrupted", message, { hint: "The next run looks again." });
}

async function isStale(
  route: string,
  { viewer, published }: Pick<ProbeOptions, "viewer" | "published">,
): Promise<boolean> {
  const body = await published(route);
  if (body === undefined) return false;
  const seen = await viewer.get(address(route).viewerPath);
  return seen === undefined || !digest(seen).equals(digest(body));
}
