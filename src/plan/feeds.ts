import { encodeKey, hasPrefix, hexOf, type Phase, type SitemapKind, type Step } from "../site.ts";
import { planChecks } from "./checks.ts";
import { BATCH, type PlanContext } from "./context.ts";
import { deleteStep, planExistence, stepFor } from "./exist.ts";
import { plannedRange } from "./planned.ts";
import { checkStep } from "./recut.ts";
import { beforeKey, coveredKinds, isSeam, sitemapOf, startOf } from "./sitemap-pages.ts";
import { planStale } from "./stale.ts";

/** Keys of pages that appeared, moved or have another last change, by kind; undefined means all pages. */
export type FeedKeys = ReadonlyMap<string, readonly Uint8Array[]> | undefined;

/** Which sitemaps to look at: those around pages that changed, all, all but those that would go, none. */
export type Feeds = "touched" | "all" | "kept" | "none";

/**
 * Plans the sitemaps from the pages as they will be; run it when those are settled. `keys` are the
 * pages that changed; those that the plan deletes come on top.
 */
export async function planFeeds(
  context: PlanContext,
  feeds: Feeds,
  keys?: FeedKeys,
): Promise<void> {
  if (feeds === "none") return;
  for (const kind of context.site.kinds.filter((each) => each.is === "sitemap")) {
    const isFirst = (await context.ledger.live(kind.name, undefined, 1)).length === 0;
    if (feeds !== "touched" || keys === undefined || isFirst) {
      await planExistence(kind, context, { keepsGone: feeds === "kept" });
      await planStale(kind, context);
      continue;
    }
    for (const name of coveredKinds(context)) {
      const own = [...(keys.get(name) ?? []), ...(await deletedKeys(context, name))];
      await replan(kind, name, own.sort(Buffer.compare), context);
    }
    await planChecks(context);
  }
}

async function deletedKeys(
  { ledger, run }: PlanContext,
  kind: string,
): Promise<readonly Uint8Array[]> {
  const phase: Phase = "deletes";
  const keys: Uint8Array[] = [];
  let after: Step | undefined;
  for (;;) {
    const steps = await ledger.staged(run, { phase, kind, ...(after && { after }), limit: BATCH });
    keys.push(...steps.map(({ key }) => key));
    if (steps.length < BATCH) return keys;
    after = steps.at(-1);
  }
}

/** Cuts the sitemaps of one kind anew around each key, until the cuts are the old ones again. */
async function replan(
  kind: SitemapKind,
  name: string,
  keys: readonly Uint8Array[],
  context: PlanContext,
): Promise<void> {
  let done: Uint8Array | undefined;
  for (const [at, key] of keys.entries()) {
    if (done !== undefined && Buffer.compare(key, done) < 0) continue;
    done = await replanFrom(kind, name, keys.slice(at), context);
    if (done === undefined) return;
  }
}

/** Gives the start of the first sitemap that is as it was and holds none of the keys; undefined at the end. */
async function replanFrom(
  kind: SitemapKind,
  name: string,
  keys: readonly Uint8Array[],
  context: PlanContext,
): Promise<Uint8Array | undefined> {
  const { ledger, run } = context;
  const start = await partBefore(kind, name, keys[0] ?? EMPTY, context);
  const found = new Set<string>();
  let count = 0;
  let next = 0;
  let end: Uint8Array | undefined;
  for await (const { key } of plannedRange(context, name, beforeKey(start))) {
    if (count === 0 || count === kind.max || isSeam(kind, key)) {
      const isFirst = found.size === 0;
      const part = sitemapOf(kind, name, isFirst && start === undefined ? undefined : key);
      const [live] = await ledger.pages([{ kind: kind.name, key: part.key }]);
      while (next < keys.length && Buffer.compare(keys[next] ?? EMPTY, key) < 0) next += 1;
      if (!isFirst && live !== undefined && !(await holds(kind, name, key, keys[next], context))) {
        end = key;
        break;
      }
      const steps = stepFor(kind, kind.name, { found: part, live }, context);
      await ledger.stage(
        run,
        steps.length > 0 || live === undefined ? steps : [checkStep(live, `list:${name}`)],
      );
      if (live === undefined) await checkIndex(kind, context);
      found.add(hexOf(part.key));
      count = 0;
    }
    count += 1;
  }
  await dropParts(kind, name, { start, end, found }, context);
  return end;
}

/** True when the first key at or after a sitemap's start lies before the next one's. */
async function holds(
  kind: SitemapKind,
  name: string,
  start: Uint8Array,
  key: Uint8Array | undefined,
  context: PlanContext,
): Promise<boolean> {
  if (key === undefined) return false;
  const at = await context.ledger.lastUpTo(kind.name, partKey(name, key));
  return at !== undefined && Buffer.compare(at, partKey(name, start)) <= 0;
}

/** Deletes sitemaps of the range that was walked which no cut made. */
async function dropParts(
  kind: SitemapKind,
  name: string,
  walked: {
    readonly start: Uint8Array | undefined;
    readonly end: Uint8Array | undefined;
    readonly found: ReadonlySet<string>;
  },
  context: PlanContext,
): Promise<void> {
  const { ledger, run } = context;
  const first = walked.start === undefined ? encodeKey([name]) : partKey(name, walked.start);
  const last = walked.end === undefined ? undefined : partKey(name, walked.end);
  const own = await ledger.pages([{ kind: kind.name, key: first }]);
  let parts = own.filter((page) => page !== undefined);
  for (let after = first; ; after = parts.at(-1)?.key ?? after) {
    const gone = parts.filter(({ key }) => !walked.found.has(hexOf(key)));
    if (gone.length > 0) {
      await ledger.stage(
        run,
        gone.map((page) => deleteStep(page, "gone")),
      );
      await checkIndex(kind, context);
    }
    const next = await ledger.live(kind.name, parts.at(-1)?.key ?? after, BATCH);
    parts = next.filter(
      ({ key }) =>
        hasPrefix(key, encodeKey([name])) && (last === undefined || Buffer.compare(key, last) < 0),
    );
    if (parts.length === 0) return;
  }
}

/** Start of the sitemap before the one that holds a key: a deleted start joins its pages to that one. */
async function partBefore(
  kind: SitemapKind,
  name: string,
  key: Uint8Array,
  { ledger }: PlanContext,
): Promise<Uint8Array | undefined> {
  const prefix = encodeKey([name]);
  const own = await ledger.lastUpTo(kind.name, partKey(name, key));
  if (own === undefined || !hasPrefix(own, prefix) || own.length === prefix.length)
    return undefined;
  const before = await ledger.lastUpTo(kind.name, own.subarray(0, -1));
  return before !== undefined && hasPrefix(before, prefix) ? startOf(before) : undefined;
}

async function checkIndex(kind: SitemapKind, { ledger, run }: PlanContext): Promise<void> {
  const [index] = await ledger.pages([{ kind: kind.name, key: encodeKey([]) }]);
  if (index !== undefined) await ledger.stage(run, [checkStep(index, `list:${kind.name}`)]);
}

function partKey(name: string, start: Uint8Array): Uint8Array {
  return encodeKey([name, Buffer.from(start).toString("hex")]);
}

const EMPTY = new Uint8Array();
