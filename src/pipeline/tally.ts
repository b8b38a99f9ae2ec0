import type { PipelineError } from "../error.ts";
import type { Missed, RunEvent, Summary } from "../events.ts";
import type { CoverReport } from "../invalidate/cover-report.ts";
import type { Quarantined } from "../ledger/ledger.ts";
import type { Failure } from "../plan/context.ts";
import type { FeedKeys } from "../plan/feeds.ts";
import { decodeKey, keyName, type PageId, pageName, type Step } from "../site.ts";
import { type Counted, NOTHING, type PageCounts, pageCounts } from "./counts.ts";

type Totals = Pick<Summary, Counted>;

/** What a run did so far: counts by kind, and the pages and rows that failed. */
export interface Tally extends PageCounts {
  /** Counts a failure once, however many reads meet it, and tells it. */
  fail(failure: Failure): void;
  hasFailed(page: PageId): boolean;
  /** A row failed that is no page. */
  hasBadRows(): boolean;
  failureOf(page: PageId): PipelineError | undefined;
  /** Pages that failed in this run and are not where others expected them: new and moved ones. */
  miss(steps: readonly Step[]): void;
  /** Gives the steps told to `miss` and forgets them. */
  takeMissing(): readonly Step[];
  /** Pages that are live as they should be; the first few are remembered. */
  settle(pages: readonly PageId[]): void;
  settled(): readonly PageId[];
  /** Pages that stand in sitemaps otherwise than before; undefined when they are too many to tell. */
  touchFeeds(pages: readonly PageId[] | undefined): void;
  /** Keys of the pages told to `touchFeeds`; undefined when they are too many to keep. */
  feedKeys(): FeedKeys;
  /** Rows that a log did not tell of. */
  missed: Missed | undefined;
  unlinked: number;
  invalidated: number;
  /** What was chosen to tell the CDN, in order. */
  readonly covers: CoverReport[];
  total(what: Counted): number;
  totals(): Totals;
  /** Pages and rows that failed, in the order in which they were told. */
  failures(): readonly Failure[];
  /** Failed pages as the ledger keeps them. */
  quarantined(): readonly Quarantined[];
}

/** An empty tally that tells failures to `emit`. */
export function openTally(emit: (event: RunEvent) => void): Tally {
  const counts = pageCounts();
  const failed = new Map<string, Failure>();
  const missing: Step[] = [];
  const feeds = new Map<string, Uint8Array[]>();
  let feedCount = 0;
  const settled: PageId[] = [];
  const tally: Tally = {
    ...counts,
    missed: undefined,
    unlinked: 0,
    invalidated: 0,
    covers: [],
    fail(failure) {
      const name = failureName(failure);
      if (failed.has(name)) return;
      failed.set(name, failure);
      const { page, error } = failure;
      const kind = page?.kind ?? `table ${error.at["table"] ?? ""}`;
      const key = page === undefined ? (error.at["key"] ?? "") : keyName(decodeKey(page.key));
      tally.add(kind, "failed");
      emit({ event: "failed", kind, key, error });
    },
    miss: (steps) => missing.push(...steps),
    takeMissing: () => missing.splice(0),
    settle(pages) {
      const room = MAX_FEED_KEYS - settled.length;
      settled.push(...pages.slice(0, room).map(({ kind, key }) => ({ kind, key })));
    },
    settled: () => settled,
    touchFeeds(pages) {
      feedCount += pages?.length ?? MAX_FEED_KEYS + 1;
      if (pages === undefined || feedCount > MAX_FEED_KEYS) return feeds.clear();
      for (const { kind, key } of pages) feeds.set(kind, [...(feeds.get(kind) ?? []), key]);
    },
    feedKeys: () => (feedCount > MAX_FEED_KEYS ? undefined : feeds),
    failureOf: (page) => failed.get(pageName(page))?.error,
    hasBadRows: () => [...failed.values()].some(({ page }) => page === undefined),
    hasFailed: (page) => failed.size > 0 && failed.has(pageName(page)),
    total: (what) => counts.kinds().reduce((sum, each) => sum + each[what], 0),
    totals: () => totalsOf(tally),
    failures: () => [...failed.values()],
    quarantined: () => [...failed.values()].flatMap(toQuarantined),
  };
  return tally;
}

/** So many pages are remembered; beyond, all sitemaps are looked at, which memory does not notice. */
const MAX_FEED_KEYS = 500;
const COUNTED = Object.keys(NOTHING) as Counted[];

function totalsOf(tally: Pick<Tally, "total">): Totals {
  return Object.fromEntries(COUNTED.map((what) => [what, tally.total(what)])) as unknown as Totals;
}

function failureName({ page, error }: Failure): string {
  return page === undefined ? rowName(error) : pageName(page);
}

function rowName({ at, message }: PipelineError): string {
  return at["key"] === undefined ? `row ${message}` : `row ${at["table"]} ${at["key"]}`;
}

function toQuarantined({ page, error }: Failure): readonly Quarantined[] {
  if (page === undefined) return [];
  const { code, message, at } = error;
  return [{ kind: page.kind, key: page.key, code, message, at: JSON.stringify(at) }];
}
