import type { Batch } from "../invalidate/cdn.ts";
import type { PageId, Phase, Step } from "../site.ts";
import type { BarLedger } from "./bar-port.ts";
import type { JobLedger } from "./job-port.ts";
import type { RangeLedger } from "./range-port.ts";
import type { ShardLedger } from "./shard-port.ts";
import type { TickLedger } from "./tick-port.ts";
import type { TokenLedger } from "./token-port.ts";
import type { ToldLedger } from "./told-port.ts";

export type { Bar, KnownBar } from "./bar-port.ts";
export type { KeptEvent, KeptJob, KnownCode } from "./job-port.ts";
export type { KnownRange } from "./range-port.ts";
export type { Crew, Shard, ShardLease, TakenShard } from "./shard-port.ts";
export { isShardLost, shardLost } from "./shard-port.ts";
export type { KeptTick, NewTick } from "./tick-port.ts";
export type { KeptToken } from "./token-port.ts";
export type { Lane, Told, ToldRow } from "./told-port.ts";

/** A page that is live, and what it was made from. */
export interface LivePage extends PageId {
  readonly route: string;
  /** Of list windows the place of the first entry, of redirects where they lead. */
  readonly start: Uint8Array | undefined;
  /** Digest of bytes and headers; undefined when a run was cut off and nobody knows. */
  readonly hash: Uint8Array | undefined;
  /** The store's entity tag. */
  readonly etag: string | undefined;
  readonly bytes: number;
  /** Encoded reads with their digests. */
  readonly trace: Uint8Array;
  /** Last change for sitemaps, µs. */
  readonly lastmod: number | undefined;
  /** Release that put it. */
  readonly release: number;
  /** Why it did: 1 to 63, see `putCause`; absent when nobody knows. */
  readonly cause?: number | undefined;
}

/** A declared row as the last release saw it. */
export interface KnownRow {
  /** {@link encodeKey}'s form. */
  readonly key: Uint8Array;
  /** Of the columns that pages read; 8 bytes. */
  readonly hash: Uint8Array;
  /** The columns that say which lists it is in and who may see it, packed. */
  readonly deps: Uint8Array;
  /** µs; when the clock changes who may see it; undefined when it never will. */
  readonly dueAt: number | undefined;
}

/** A row that a run found changed; `now` is undefined when it is gone. */
export interface SeenRow {
  readonly table: string;
  readonly key: Uint8Array;
  readonly now: KnownRow | undefined;
}

/** A row and the moment it is due at. */
export interface RowMark {
  readonly table: string;
  readonly key: Uint8Array;
  readonly dueAt: number;
}

/** A page and one read it shares with others, see `readName`. */
export interface Reader extends PageId {
  readonly read: Uint8Array;
}

/** A route that a page had before it moved, and the page. */
export interface Former extends PageId {
  readonly route: string;
}

/** What pages that are confirmed do to the route history. */
export interface Turnover {
  /** Routes that pages left; one that another page has by now, and is known to be at, is not remembered. */
  readonly left: readonly Former[];
  /** Routes that pages have now, so that they are nobody's former ones. */
  readonly taken: readonly string[];
  /** The kind of the redirect pages, which take no route from anybody. */
  readonly redirects: string;
}

/** What a page carries for the CDN, as it was put. */
export interface Tagged extends PageId {
  /** Cache tags, the page's own (`ownTag`) first; none when nobody knows them, or it has none. */
  readonly tags: readonly string[];
}

/** What else becomes true when pages are confirmed or retired. */
export interface Beside {
  /** Confirmed pages that were put, or claimed of what is adopted; of the others the tags stay as they were. */
  readonly tagged?: readonly Tagged[];
  /** Objects that wait to be deleted. */
  readonly retired?: readonly Retired[];
  /** Reads that pages have now and had not before, and the other way round. */
  readonly added?: readonly Reader[];
  readonly dropped?: readonly Reader[];
  /** Confirmed pages only; without it the route history stays as it is. */
  readonly turnover?: Turnover;
  /**
   * Confirmed pages only, µs: until then a dead process's delete of an object that was about to go may
   * take place.
   */
  readonly lateUntil?: number;
}

/** An object that no page needs any more; it goes when its time has come. */
export interface Retired {
  /** Object name in the store. */
  readonly object: string;
  /** µs; not before this moment. Undefined until what linked there is invalidated, see `dateRetired`. */
  readonly dueAt: number | undefined;
  /** µs that it stays from then on. */
  readonly stays?: number;
  /** True when the CDN may hold copies, which are to be evicted once it is gone. */
  readonly isCached: boolean;
  /** What the object was, as far as the ledger knew; unknown after a put that was cut off. */
  readonly etag?: string | undefined;
  readonly hash?: Uint8Array | undefined;
}

/** An object of which nothing is known but what the store told: the ledger of its page was lost. */
export interface Adopted {
  /** Object name in the store. */
  readonly object: string;
  /** Of the artifact that was put there; undefined where the store keeps no headers. */
  readonly hash: Uint8Array | undefined;
  readonly etag: string | undefined;
}

/** An object at which a request of a dead process may take place, until `until` (µs). */
export interface Lingering {
  readonly object: string;
  readonly until: number;
}

/** A put that is about to happen. After a crash it says which objects are in doubt. */
export interface Intent extends PageId {
  readonly route: string;
  readonly start: Uint8Array | undefined;
  /** Why, as a step's; kept with what the page was, not with the intent. */
  readonly reason?: string;
}

/** A put of which nobody knows whether it happened. */
export interface Doubted extends Intent {
  /** False when the CDN can hold no copy that would have to be evicted. */
  readonly isCached?: boolean;
}

/** What a page was from one release on until another replaced or deleted it. */
export interface Past extends Omit<LivePage, "trace" | "cause"> {
  /** The release that replaced or deleted it. */
  readonly until: number;
  /** Why that did, as a step's reason. */
  readonly reason: string;
}

/** What stood at a route is something else now, and the CDN was not told yet. */
export interface Change {
  /** Orders changes; none ever gets the number of another. */
  readonly seq: number;
  readonly route: string;
  /** Cache tags of the copies that are old now, the page's own first; none when nobody knows them. */
  readonly before: readonly string[];
  /** Those of what is live there now; undefined when it is gone. */
  readonly after: readonly string[] | undefined;
  /** The page that was there is live at another route. */
  readonly livesOn: boolean;
}

/** What waits to be covered by items. */
export interface Waiting {
  readonly changes: number;
  /** `seq` of the newest; 0 when none waits. */
  readonly last: number;
  /** Items that an adoption or an older release let wait. */
  readonly items: readonly string[];
}

/** Changes that become batches. */
export interface Frozen {
  /** Changes up to this `seq` are left out; all by default. */
  readonly after?: number | undefined;
  /** Who freezes: only the run that holds the ledger knows that what the changes are about was put. */
  readonly run: string;
  /** All up to this `seq`, and how many they are. */
  readonly last: number;
  readonly changes: number;
  /** Those of the items that waited, see {@link Waiting}, that batches are about now. */
  readonly items: readonly string[];
  /** µs */
  readonly madeAt: number;
  /** Items of each batch, in the order to send them. */
  readonly batches: readonly (readonly string[])[];
  /** What was chosen and why, as JSON. */
  readonly report: string;
}

/** What was frozen at once. */
export interface FrozenCover {
  readonly id: number;
  /** µs */
  readonly madeAt: number;
  readonly items: number;
  readonly report: string;
  /** µs; when its batches had completed, and what was to be looked at afterwards was seen. */
  readonly doneAt: number | undefined;
}

/** A batch in the outbox and, once it was accepted, the CDN's name for it. */
export interface OutboxBatch extends Batch {
  readonly invalidation: string | undefined;
  /** Of its {@link FrozenCover}; undefined for what an older release left. */
  readonly cover: number | undefined;
  /** µs; when it was accepted first. */
  readonly sentAt: number | undefined;
  /** Why the CDN refused it, at the last try. */
  readonly refusal: string | undefined;
}

/** A page that failed, as of its last try. */
export interface Quarantined extends PageId {
  readonly code: string;
  readonly message: string;
  /** `at` of the error as JSON. */
  readonly at: string;
  /** µs; when it began to fail. */
  readonly since?: number | undefined;
}

/** Pages that the next build has to look at, because rows that a run was not told of may have changed them. */
export interface RebuiltPages {
  readonly pages: readonly PageId[];
  /** This run has looked at those of earlier runs. */
  readonly isAll: boolean;
}

/** What one finished run did; `report` is JSON. */
export interface Release {
  readonly id: number;
  /** µs */
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
  readonly report: string | undefined;
}

/**
 * The only state: what is live and from which trace, the plan of each run, what is under way.
 * Every method is one transaction. Pages are ordered by (kind, key), keys by their bytes.
 * @throws PipelineError `ledger_unavailable`, `ledger_rejected`
 */
export interface Ledger
  extends AsyncDisposable,
    BarLedger,
    JobLedger,
    RangeLedger,
    TickLedger,
    ShardLedger,
    TokenLedger,
    ToldLedger {
  /** Random, made with the ledger; the store's marker carries it. */
  readonly id: string;

  /** Number of the last release; 0 before the first. */
  release(): Promise<number>;

  /** A named value kept between runs; undefined when never set. */
  note(name: string): Promise<string | undefined>;
  setNote(name: string, value: string): Promise<void>;

  /** The same, unless the journal has written anything since these notes were read. */
  setNoteIfUnwritten(
    name: string,
    value: string,
    since: ReadonlyMap<string, string>,
  ): Promise<void>;
  /** All of them: there are a handful. */
  notes(): Promise<ReadonlyMap<string, string>>;

  /** The next `limit` live pages of a kind after `after`. */
  live(kind: string, after: Uint8Array | undefined, limit: number): Promise<readonly LivePage[]>;

  /** Kinds that have live pages, sorted; some may be gone from the site. */
  liveKinds(): Promise<readonly string[]>;

  countLive(): Promise<number>;

  /** Live pages of each kind that has any. */
  countLiveByKind(): Promise<ReadonlyMap<string, number>>;

  /** Pages by id, in the order asked for. */
  pages(ids: readonly PageId[]): Promise<readonly (LivePage | undefined)[]>;

  /** Ids of live pages at these routes; a route nobody has is not in the map. */
  liveAt(routes: readonly string[]): Promise<ReadonlyMap<string, PageId>>;

  /** Live pages whose route folds (`foldRoute`) to the same as one of these, in page order. */
  liveFolded(routes: readonly string[]): Promise<readonly LivePage[]>;

  /** Adds steps to a run's plan; a step for the same page replaces the earlier one. */
  stage(run: string, steps: readonly Step[]): Promise<void>;

  /** Takes pages out of a run's plan. */
  unstage(run: string, ids: readonly PageId[]): Promise<void>;

  /** The next `limit` steps of a run after page `after`, of one phase or of all; in (kind, key) order. */
  staged(
    run: string,
    query: {
      readonly phase?: Phase;
      readonly kind?: string;
      readonly after?: PageId;
      readonly limit: number;
    },
  ): Promise<readonly Step[]>;

  /** Steps of these pages in a run's plan, in the order asked for. */
  stepsOf(run: string, ids: readonly PageId[]): Promise<readonly (Step | undefined)[]>;

  /** Steps (not deletes) of a run whose route folds (`foldRoute`) to the same as one of these, in page order. */
  stagedFolded(run: string, routes: readonly string[]): Promise<readonly Step[]>;

  /** Steps (not deletes) of a run that want these routes. */
  stagedAt(run: string, routes: readonly string[]): Promise<ReadonlyMap<string, readonly Step[]>>;

  /** Groups of steps (not deletes) of a run whose routes fold to one (`foldRoute`); at most `limit` groups. */
  stagedClashes(run: string, limit: number): Promise<readonly (readonly Step[])[]>;

  /** The next `limit` known rows of a table, in key order. */
  known(table: string, after: Uint8Array | undefined, limit: number): Promise<readonly KnownRow[]>;

  /** Known rows by key, in the order asked for. */
  knownOf(table: string, keys: readonly Uint8Array[]): Promise<readonly (KnownRow | undefined)[]>;

  /** The next `limit` rows due at `now` or before, by moment. */
  dueRows(now: number, after: RowMark | undefined, limit: number): Promise<readonly RowMark[]>;

  /** Keeps what a run found of rows that changed, until it finishes; a later word on a row wins. */
  see(run: string, rows: readonly SeenRow[]): Promise<void>;

  /** The next `limit` rows that a run found changed, by table and key. */
  seen(
    run: string,
    after: Pick<SeenRow, "table" | "key"> | undefined,
    limit: number,
  ): Promise<readonly SeenRow[]>;

  /** What a run found of these rows, in the order asked for; undefined where it found no change. */
  seenOf(
    run: string,
    table: string,
    keys: readonly Uint8Array[],
  ): Promise<readonly (SeenRow | undefined)[]>;

  /** Pages that have one of these reads; one may come twice. */
  readers(reads: readonly Uint8Array[]): Promise<readonly PageId[]>;

  /** Pages with a read between these, both included. */
  readersBetween(from: Uint8Array, to: Uint8Array): Promise<readonly PageId[]>;

  /** The route history: the next `limit` former routes after `after`, in the order of their bytes. */
  former(after: string | undefined, limit: number): Promise<readonly Former[]>;

  /** Those of these routes that are former ones, in no particular order. */
  formerAt(routes: readonly string[]): Promise<readonly Former[]>;

  /** The former routes of these pages, in no particular order. */
  formerOf(ids: readonly PageId[]): Promise<readonly Former[]>;

  /** Adds to the route history, but for routes that a page has, and writes `notes`. Durable. */
  importFormer(
    former: readonly Former[],
    options: {
      /** The kind of the redirect pages. */
      readonly redirects: string;
      readonly notes: Readonly<Record<string, string>>;
    },
  ): Promise<void>;

  /** The key of the last live page of a kind at or before `key`. */
  lastUpTo(kind: string, key: Uint8Array): Promise<Uint8Array | undefined>;

  /** How many steps a run has, by phase, kind, action and reason class (text before the first ":"). */
  stagedCounts(run: string): Promise<readonly StepCount[]>;

  /** Forgets a run's plan. */
  discard(run: string): Promise<void>;

  /**
   * Lets one run publish. Repeatable by the holder, who calls it again at least every third of
   * `leaseMs` to stay. Until another claims, methods that name a run refuse what any other writes of
   * pages and objects (`run_conflict`), also when the claim has ended.
   * @throws PipelineError `release_outdated` when other code is current; `run_conflict` when another holds
   *   the ledger, `release` is not the last, the note `mark.name` is not what it was, or pages were
   *   intended, confirmed, retired or put in doubt by another since the notes of `since`
   */
  claim(
    run: string,
    options: {
      readonly release: number;
      readonly nowMs: number;
      readonly leaseMs: number;
      /** A note that becomes the run's name, so that it is known who published even if it is cut off. */
      readonly mark?: { readonly name: string; readonly was: string | undefined };
      /** What the notes were when the run began to plan. */
      readonly since?: ReadonlyMap<string, string> | undefined;
      /** Fingerprint of the run's code: from now on it, and `intend`, are refused when other code is current. */
      readonly code?: string | undefined;
    },
  ): Promise<void>;

  /** Gives the ledger free again; the run's plan is forgotten. */
  yieldClaim(run: string): Promise<void>;

  /**
   * Before puts: records them. Each of `cached` whose route has a live page or an adopted object
   * becomes a change that the CDN is to be told; elsewhere there is no old copy. Durable.
   * @throws PipelineError `release_outdated` when other code was activated since the claim;
   *   `page_barred`, with nothing recorded, when one of the pages is taken down,
   *   or wants a route at which the object of one that is has not been removed yet
   */
  intend(
    run: string,
    intents: readonly Intent[],
    cached: readonly (Tagged & Pick<Intent, "route">)[],
  ): Promise<void>;

  /**
   * After puts: the pages are live as given, their intents and steps are done, and the objects
   * they moved away from (`retired`) wait to be deleted. Durable.
   */
  confirm(run: string, pages: readonly LivePage[], beside?: Beside): Promise<void>;

  /** Puts that were begun and never confirmed, in page order. */
  intents(): Promise<readonly Intent[]>;

  /**
   * Marks the hash of these live pages as unknown (creating them if need be) and ends their intents;
   * their puts may take place until `lateUntil` (µs), if that is given.
   */
  doubt(
    run: string,
    intents: readonly Doubted[],
    release: number,
    lateUntil?: number,
  ): Promise<void>;

  /** The next objects at which nothing can come late any more at `now`, in object order. */
  lingering(now: number, after: string | undefined, limit: number): Promise<readonly Lingering[]>;

  /** Those of these objects that linger, due or not. */
  lingeringAmong(objects: readonly string[]): Promise<ReadonlySet<string>>;

  /** Nothing came late to these objects up to `now`; where something may come later, they linger on. */
  forgetLingering(objects: readonly string[], now: number): Promise<void>;

  /**
   * Something came late to some of these objects: the hash of the pages `altered` is unknown, what
   * no page has waits to be deleted. Durable.
   */
  cameLate(
    run: string,
    late: {
      readonly objects: readonly string[];
      readonly altered: readonly PageId[];
      readonly retired: readonly Retired[];
    },
  ): Promise<void>;

  /** Marks every live page's hash as unknown: the store was wiped or changed. */
  doubtAll(run: string): Promise<void>;

  /** Pages stop being live and steps are done; their objects wait to be deleted. Durable. */
  retire(
    run: string,
    ids: readonly (PageId & Pick<Intent, "reason">)[],
    beside: Beside,
  ): Promise<void>;

  /** The next retired objects that are due at `now`, in object order. */
  due(now: number, after: string | undefined, limit: number): Promise<readonly Retired[]>;

  /**
   * What linked to the objects that wait for a date is invalidated since `completedAt` (µs): they
   * stay for their time from then on, and until `copiesUntil`; those that stay for none are due.
   */
  dateRetired(run: string, completedAt: number, copiesUntil: number): Promise<void>;

  /** The first `limit` retired objects by moment; those that wait for a date come first. */
  retired(limit: number): Promise<readonly Retired[]>;

  countRetired(): Promise<number>;

  /** True when a retired object is due at `now`, or waits for a date. */
  isLeaving(now: number): Promise<boolean>;

  /** Retired objects are deleted; those that were cached become changes. Durable. */
  forget(run: string, objects: readonly string[]): Promise<void>;

  /**
   * Forgets all that is adopted, lets invalidation items wait and writes `notes`: what the CDN was yet
   * to be told, only the lost ledger knew. Durable.
   */
  beginAdoption(of: {
    readonly items: readonly string[];
    readonly notes: Readonly<Record<string, string>>;
  }): Promise<void>;

  /** Adds to what is adopted: it waits for the page that claims it, by being intended or confirmed there. */
  adopt(objects: readonly Adopted[]): Promise<void>;

  /** The next `limit` adopted objects after `after`, in object order. */
  adopted(after: string | undefined, limit: number): Promise<readonly Adopted[]>;

  /** What is adopted of these objects, in no particular order. */
  adoptedAt(objects: readonly string[]): Promise<readonly Adopted[]>;

  /** Forgets all that is adopted. */
  disownAll(): Promise<void>;

  /** Adopted objects that no page claims wait to be deleted. Durable. */
  retireAdopted(run: string, objects: readonly Retired[]): Promise<void>;

  /** Those of these objects that wait to be deleted. */
  retiredAmong(objects: readonly string[]): Promise<ReadonlyMap<string, Retired>>;

  /** Takes objects off the retired list because a page has them again; they become changes, too. */
  unretire(run: string, objects: readonly string[]): Promise<void>;

  /** Kinds that have live pages or had some that can be told, sorted. */
  changedKinds(): Promise<readonly string[]>;

  /** The next `limit` pages of a kind that releases after this one put, replaced or deleted, in key order. */
  changedSince(
    release: number,
    query: {
      readonly kind: string;
      readonly after: Uint8Array | undefined;
      readonly limit: number;
    },
  ): Promise<readonly PageId[]>;

  /** What these pages were before releases after this one changed them, the earliest first. */
  pastsOf(ids: readonly PageId[], release: number): Promise<readonly Past[]>;

  /** The last release up to `upTo` that began before `moment` (µs); undefined when there is none. */
  lastBefore(moment: number, upTo: number): Promise<number | undefined>;

  /**
   * Forgets up to `limit` of what pages were before this release, which then is the first that can
   * be told, and gives it; with the last of it the records of earlier releases.
   */
  sweepPast(release: number, limit: number): Promise<readonly Past[]>;

  /**
   * Begins to keep tags for another CDN, named so, or for none (""): what was known of tags is
   * forgotten, since its copies are others. Nothing happens when it is the same one.
   */
  serveBy(cdn: string): Promise<void>;

  /** Tags of what is live at these routes, the own first; none where nobody knows; no entry where nothing is live. */
  tagsAt(routes: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;

  /** Live pages in all, by tag (not by own ones) and by folder (`/a/`: routes that begin so). */
  countsOf(asked: {
    readonly tags: readonly string[];
    readonly folders: readonly string[];
  }): Promise<{
    readonly live: number;
    readonly tagged: ReadonlyMap<string, number>;
    readonly below: ReadonlyMap<string, number>;
  }>;

  /** How much waits to be covered. */
  waiting(): Promise<Waiting>;

  /** `seq` of the newest change there ever was; 0 before the first. */
  lastChange(): Promise<number>;

  /** Those of these routes that a change waits for. */
  changedAt(routes: readonly string[]): Promise<ReadonlySet<string>>;

  /** The next `limit` changes after one, oldest first. */
  changes(after: number, limit: number): Promise<readonly Change[]>;

  /**
   * Makes batches with ids of their own of the oldest changes and of items that waited; all or
   * nothing. False when the changes are not those any more. Durable.
   */
  freeze(frozen: Frozen): Promise<boolean>;

  /** True when changes or items wait, batches are not completed or a cover is not closed. */
  hasOutbox(): Promise<boolean>;

  /** Batches not completed, oldest first. */
  outbox(): Promise<readonly OutboxBatch[]>;

  /** Covers, newest first: those that are not done, or all that are kept. */
  covers(which: "open" | "all"): Promise<readonly FrozenCover[]>;

  /** The CDN accepted the batch under this name; its items count in the month of `at` (µs), once. */
  sent(batch: string, invalidation: string, at: number): Promise<void>;

  /** The CDN refused the batch for what it holds. */
  refused(batch: string, refusal: string): Promise<void>;

  /** Batches that were refused get new ids, so that they can be sent again as others. */
  renew(batches: readonly string[]): Promise<void>;

  /** The CDN completed the batch; it leaves the outbox. */
  completed(batch: string): Promise<void>;

  /** A cover is done; those done before `keepFrom` (µs) are forgotten. */
  closed(cover: number, at: number, keepFrom: number): Promise<void>;

  /** The copies at these routes are old though they were evicted: they become changes again. */
  recall(routes: readonly string[]): Promise<void>;

  /** Items accepted in the calendar month (UTC) of `at` (µs). */
  spentItems(at: number): Promise<number>;

  /**
   * Replaces what is known of failed pages: `failed` are added or changed, `healed` removed. Those
   * that did not fail before do since `now` (µs).
   */
  quarantine(
    failed: readonly Quarantined[],
    healed: readonly PageId[],
    now?: number,
  ): Promise<void>;
  /** The first `limit` failed pages, or all of them, in page order. */
  quarantined(limit?: number): Promise<readonly Quarantined[]>;
  /** Which of these pages failed, in the order asked for. */
  areQuarantined(ids: readonly PageId[]): Promise<readonly boolean[]>;

  /**
   * Writes a finished release (its id one above the last) and `notes`; what the run saw of rows is
   * known from now on; the pages it `rebuilt` are added to those of earlier runs, which are forgotten
   * without it, or when it says so; gives the ledger free.
   */
  finish(
    run: string,
    release: Release,
    notes?: Readonly<Record<string, string>>,
    rebuilt?: RebuiltPages,
  ): Promise<void>;

  /** The next `limit` pages that runs rebuilt since one that rebuilt none, in page order. */
  rebuilt(after: PageId | undefined, limit: number): Promise<readonly PageId[]>;

  /** They were looked at by a run that knows of the releases up to this one, and are as they should be. */
  forgetRebuilt(release: number): Promise<void>;

  /** The last releases, newest first; of those up to `upTo`, if that is given. */
  releases(limit: number, upTo?: number): Promise<readonly Release[]>;
}

export interface StepCount {
  readonly phase: Phase;
  readonly kind: string;
  readonly action: Step["action"];
  readonly reason: string;
  readonly count: number;
}
