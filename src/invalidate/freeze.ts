import type { Change, Ledger, Waiting } from "../ledger/ledger.ts";
import type { Cdn } from "./cdn.ts";
import { type ChangedObject, foldersOf, type LiveCounts, lookups } from "./changed.ts";
import { type Cover, cover } from "./cover.ts";
import { type CoverReport, reportOf } from "./cover-report.ts";
import type { Terms } from "./terms.ts";

/** Changes in memory at a time, about 600 bytes each. */
export const MOST_CHANGES = 200_000;
/** Read from the ledger at a time. */
const BATCH = 5_000;

export interface FreezeOptions {
  readonly ledger: Pick<
    Ledger,
    "waiting" | "changes" | "countsOf" | "spentItems" | "outbox" | "freeze"
  >;
  readonly cdn: Cdn;
  readonly terms: Terms;
  /** The run that holds the ledger. */
  readonly run: string;
  /** µs */
  readonly now: () => number;
  /** Changed pages to look at through the CDN afterwards; none by default. */
  readonly probes?: number;
  /** Changes up to this `seq`, and items that wait, are left to a later freeze; none by default. */
  readonly after?: number | undefined;
  /** Gets each cover that was frozen. */
  readonly onCover?: ((report: CoverReport) => void) | undefined;
  /** Changes planned together; for tests. */
  readonly mostChanges?: number;
}

/** What is left of one freeze in parts. */
interface Parts {
  readonly totals: Totals | undefined;
  /** Items of several objects that were frozen in an earlier part: once is enough. */
  readonly frozen: Set<string>;
}

/**
 * Plans what waits and freezes it into batches, in the order of its waves. So many changes that they
 * do not fit into memory are planned in parts, each of which knows how many of all there are.
 */
export async function freezeChanges(options: FreezeOptions): Promise<void> {
  const { mostChanges = MOST_CHANGES } = options;
  let parts: Parts | undefined;
  for (;;) {
    const waiting = await waitingOf(options);
    if (waiting.changes === 0 && waiting.items.length === 0) return;
    const isMany = waiting.changes > mostChanges;
    parts ??= { totals: isMany ? await totalsOf(options) : undefined, frozen: new Set() };
    await freezePart(options, waiting, parts);
  }
}

async function waitingOf({ ledger, after }: FreezeOptions): Promise<Waiting> {
  if (after === undefined) return await ledger.waiting();
  const [first] = await ledger.changes(after, 1);
  // Few come in the time of one rebuild.
  return { changes: first === undefined ? 0 : 1, last: after, items: [] };
}

async function freezePart(
  options: FreezeOptions,
  waiting: Waiting,
  { totals, frozen }: Parts,
): Promise<void> {
  const { ledger, cdn, terms, run, now, onCover, probes = 0, mostChanges = MOST_CHANGES } = options;
  const { after } = options;
  const changes = await readChanges(ledger, mostChanges, after);
  const planned = await coverOf(options, changes, totals);
  const fresh = planned.waves.map((wave) => wave.filter((item) => !frozen.has(item)));
  const waves = waiting.items.length > 0 ? [waiting.items, ...fresh] : fresh;
  const report = reportOf(planned, sampleOf(changes, probes));
  const isFrozen = await ledger.freeze({
    run,
    after,
    last: changes.at(-1)?.seq ?? waiting.last,
    changes: changes.length,
    items: waiting.items,
    madeAt: now(),
    batches: waves.flatMap((wave) => callsOf(wave, Math.min(cdn.batchItems, terms.callItems))),
    report: JSON.stringify(report),
  });
  if (!isFrozen) return;
  for (const { item } of planned.groups) frozen.add(item);
  onCover?.(report);
}

/** The cover of these changes as the ledger and the month stand. */
export async function coverOf(
  { ledger, cdn, terms, now }: Pick<FreezeOptions, "ledger" | "cdn" | "terms" | "now">,
  changes: readonly (ChangedObject & Partial<Pick<Change, "livesOn">>)[],
  totals?: Totals,
): Promise<Cover> {
  const asked = lookups(changes);
  const counts = await ledger.countsOf(asked);
  const known = withOwn(totals === undefined ? counts : without(counts, changes, totals), changes);
  const spent = await ledger.spentItems(now());
  const unsent = (await ledger.outbox()).filter(({ sentAt }) => sentAt === undefined);
  const monthItems = unsent.reduce((sum, { items }) => sum + items.length, spent);
  return cover(changes, known, { ...terms, useTags: cdn.hasTags, monthItems });
}

/** So many of the routes that have a page now, evenly spread. */
function sampleOf(changes: readonly Change[], size: number): readonly string[] {
  const changed = changes.filter(({ after }) => after !== undefined).map(({ route }) => route);
  const routes = size === 0 ? [] : [...new Set(changed)];
  const step = Math.max(1, routes.length / Math.max(1, size));
  const picked = Array.from({ length: Math.min(size, routes.length) }, (_, at) => {
    return routes[Math.floor(at * step)];
  });
  return picked.filter((route) => route !== undefined);
}

/** A page that went is on no live page any more, or on the one that it is now. */
function withOwn(counts: LiveCounts, changes: Parameters<typeof coverOf>[1]): LiveCounts {
  const tagged = new Map(counts.tagged);
  for (const { before = [], after, livesOn } of changes) {
    const [own] = before;
    if (after === undefined && own !== undefined) tagged.set(own, livesOn ? 1 : 0);
  }
  return { ...counts, tagged };
}

async function readChanges(
  ledger: FreezeOptions["ledger"],
  most: number,
  from = 0,
): Promise<readonly Change[]> {
  const changes: Change[] = [];
  while (changes.length < most) {
    const limit = Math.min(BATCH, most - changes.length);
    const batch = await ledger.changes(changes.at(-1)?.seq ?? from, limit);
    changes.push(...batch);
    if (batch.length < limit) break;
  }
  return changes;
}

/** How many changed objects carry each tag now, own ones left out, and are below each folder. */
interface Totals {
  readonly tagged: Map<string, number>;
  readonly below: Map<string, number>;
}

/** Counts all that waits; a route that comes twice counts twice. */
async function totalsOf({ ledger }: FreezeOptions): Promise<Totals> {
  const totals: Totals = { tagged: new Map(), below: new Map() };
  let after = 0;
  for (;;) {
    const batch = await ledger.changes(after, BATCH);
    addTo(totals, batch);
    if (batch.length < BATCH) return totals;
    after = batch.at(-1)?.seq ?? after;
  }
}

function addTo({ tagged, below }: Totals, changes: Iterable<ChangedObject>): void {
  const count = (map: Map<string, number>, name: string) => map.set(name, (map.get(name) ?? 0) + 1);
  for (const { route, after } of changes) {
    if (after === undefined) continue;
    for (const tag of after.slice(1)) count(tagged, tag);
    for (const folder of foldersOf(route)) if (folder !== route) count(below, folder);
  }
}

/** The counts without what changed in other parts: an item evicts nothing unchanged there. */
function without(
  counts: LiveCounts,
  changes: readonly ChangedObject[],
  totals: Totals,
): LiveCounts {
  const own: Totals = { tagged: new Map(), below: new Map() };
  addTo(own, changes);
  const less = (of: "tagged" | "below") =>
    new Map(
      [...counts[of]].map(([name, live]) => {
        const elsewhere = (totals[of].get(name) ?? 0) - (own[of].get(name) ?? 0);
        return [name, Math.max(0, live - elsewhere)];
      }),
    );
  return { live: counts.live, tagged: less("tagged"), below: less("below") };
}

function callsOf(items: readonly string[], size: number): readonly (readonly string[])[] {
  const calls: (readonly string[])[] = [];
  for (let at = 0; at < items.length; at += size) calls.push(items.slice(at, at + size));
  return calls;
}
