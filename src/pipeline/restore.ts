import { PipelineError, type Problem } from "../error.ts";
import { ASSET_KIND } from "../plan/kinds.ts";
import type { StoredObject } from "../publish/store.ts";
import { storedArtifact } from "../render/render.ts";
import {
  type Artifact,
  address,
  decodeKey,
  encodeRoute,
  graceOf,
  hexOf,
  keyName,
  type Step,
} from "../site.ts";
import { keptOf } from "./kept.ts";
import type { Maker } from "./make.ts";
import { changedOf, type PastPage, pageAt } from "./past-state.ts";
import type { Wired } from "./run.ts";

/** Where what a page was can be had again: from a version that the store copies, or from what was kept. */
interface Source {
  readonly artifact: Artifact;
  /** The artifact has no body then. */
  readonly copyOf?: string;
}

/** Restored pages are made from nothing that is known, so the next build that looks makes them anew. */
const UNKNOWN = { reads: [], uses: [], refs: [] };

/** The maker of runs that bring a release back: pages are as they were, not as the rows say. */
export function restorer(release: number): Maker {
  return async (run, _, steps) => {
    const changed = await changedOf(run.wired.ledger, steps, release);
    return await Promise.all(
      steps.map(async (step, at) => {
        const page = changed[at] && pageAt(release, changed[at]);
        const source = page && (await findSource(run.wired, page));
        if (page === undefined || source === undefined) throw lost(release, [problemOf(step)]);
        const { artifact, copyOf } = source;
        const copy = copyOf === undefined ? {} : { copyOf, bytes: page.bytes };
        return { step, artifact, trace: UNKNOWN, lastmod: page.lastmod, broken: 0, ...copy };
      }),
    );
  };
}

/** Looks for pages as they were: those that cannot be had again, and how long browsers may use the others. */
export async function lookFor(
  wired: Wired,
  pages: readonly PastPage[],
): Promise<{ readonly missing: readonly PastPage[]; readonly seconds: number }> {
  const found = await Promise.all(pages.map((page) => findSource(wired, page)));
  const seconds = found.map((source, at) => {
    // Nobody asks for an asset that no page names.
    return pages[at]?.kind === ASSET_KIND ? 0 : graceOf(source?.artifact.cacheControl ?? "");
  });
  return {
    missing: pages.filter((_, at) => found[at] === undefined),
    seconds: Math.max(0, ...seconds),
  };
}

/** Routes of the pages among these whose bytes name one of `routes` as a link. */
export async function linkingTo(
  wired: Wired,
  pages: readonly PastPage[],
  routes: readonly string[],
): Promise<readonly string[]> {
  const links = routes.flatMap((route) => {
    return ['"', "#", "?"].map((end) => `"${encodeRoute(route)}${end}`);
  });
  const linking = await Promise.all(
    pages.map(async (page) => {
      const source = await findSource(wired, page);
      if (source === undefined) return [];
      const { artifact, copyOf } = source;
      const body =
        copyOf === undefined
          ? artifact.body
          : (await wired.store.get(address(page.route).key, copyOf))?.body;
      const text = Buffer.from(body ?? []).toString("utf8");
      return links.some((link) => text.includes(link)) ? [page.route] : [];
    }),
  );
  return linking.flat();
}

async function findSource(wired: Wired, page: PastPage): Promise<Source | undefined> {
  return await wired.slots.editors(async () => {
    const { hash, until } = page;
    if (hash === undefined) return undefined;
    const { key } = address(page.route);
    const version = await findVersion(wired, key, page);
    if (version !== undefined) return version;
    if (until === undefined) return undefined;
    const object = await keptOf(wired, { ...page, until, reason: "" });
    return object && { artifact: { ...artifactOf(key, object), hash: Buffer.from(hash) } };
  });
}

/** The version of an object with a page's bytes and headers, which its entity tag alone does not tell. */
async function findVersion(
  { store }: Wired,
  key: string,
  { hash, etag }: PastPage,
): Promise<Source | undefined> {
  for (const each of await store.versions(key)) {
    if (etag !== undefined && each.etag !== etag) continue;
    const head = await store.head(key, each.version);
    if (hash === undefined || head?.hash !== hexOf(hash)) continue;
    const { etag: _, writeId: __, hash: ___, ...headers } = head;
    const artifact = artifactOf(key, { ...headers, body: new Uint8Array(0) });
    return { artifact: { ...artifact, hash: Buffer.from(hash) }, copyOf: each.version };
  }
  return undefined;
}

function artifactOf(key: string, { body, ...headers }: StoredObject): Artifact {
  return storedArtifact(key, body, headers);
}

/** The error of a rollback to a release that is not there as a whole. */
export function lost(release: number, problems: readonly Problem[], count = problems.length) {
  const what = count === 1 ? "a page" : `${count} pages`;
  const message = `Release ${release} cannot be restored: of ${what} nothing is left as it was then.`;
  return new PipelineError("release_lost", message, {
    hint: "`nightbake releases` shows which releases can be. Turn versioning of the bucket on, or raise NIGHTBAKE_KEEP_MB, for those to come.",
    problems,
  });
}

/** A page that cannot be had again, as a problem. */
export function problemOf({ kind, key, route }: Pick<Step, "kind" | "key" | "route">): Problem {
  const message = `Of ${kind} ${keyName(decodeKey(key))} there is neither a version nor a kept copy.`;
  return { place: route, message };
}
