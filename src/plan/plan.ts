import { type ErrorCode, PipelineError } from "../error.ts";
import type { Quarantined } from "../ledger/ledger.ts";
import { decodeKey, type Kind, keyName, listsOf, type PageId } from "../site.ts";
import { liveUnder, planBarred } from "./bars.ts";
import { type Basis, basisNotes, basisOf, isSameBasis, lastBasis, usesOf } from "./basis.ts";
import { planChanges, planOwnPages } from "./changes.ts";
import { stageChecks } from "./checks.ts";
import { planClashes } from "./clashes.ts";
import { BATCH, type PlanContext } from "./context.ts";
import { planExistence, planGoneKind } from "./exist.ts";
import type { Feeds } from "./feeds.ts";
import { ASSET_KIND } from "./kinds.ts";
import { changedParts } from "./making.ts";
import type { ScanOptions } from "./ranges.ts";
import { touchWindows } from "./recut.ts";
import { redirectRoute } from "./redirect-pages.ts";
import { planAllRedirects, touchAround, touchRedirects } from "./redirects.ts";
import type { TableUse } from "./row-state.ts";
import { scanTable, seeDue } from "./scan.ts";
import { planStale } from "./stale.ts";
import { type NamedRow, parseTargets, seeNamed, seeTargets } from "./targets.ts";
import { placeOf, Touched } from "./touched.ts";

/** Limits a plan, and says what its store can tell apart. */
export interface PlanOptions {
  /** The kind to consider, with the assets its pages name; undefined means all, those that are gone included. */
  readonly only: string | undefined;
  /** Rows, lists and pages to look at instead of every row, see `parseTargets`. */
  readonly targets: readonly string[] | undefined;
  /** More rows to look at, in batches: those that change records name. */
  readonly changes?: AsyncIterable<readonly NamedRow[]> | undefined;
  /**
   * The run overtakes another that publishes: pages whose making changed, what failed before and what
   * the clock changes are left to that one.
   */
  readonly isOvertaking?: boolean;
  /** Looks again at what earlier rebuilds looked at; by default builds do. */
  readonly looksAgain?: boolean | undefined;
  /** Checks every page's trace instead of following the rows that changed. */
  readonly isVerify: boolean;
  readonly foldsCase: boolean;
  /** True when something else can tell that no row has changed since the last release. */
  readonly isUnchanged?: () => Promise<boolean>;
  /** Called for each batch of rows or pages that was looked at, with its size; may throw to end the plan. */
  readonly onPages: (phase: "scan" | "check", pages: number) => void | Promise<void>;
}

/** What belongs to a plan beside its steps. */
export interface Planned {
  /** To be written with the release, so that the next plan can start from there. */
  readonly notes: Readonly<Record<string, string>>;
  /** True when the plan has to be recorded although it may have no steps. */
  readonly isNew: boolean;
  /**
   * What changed since the last release, as keys of reads: `template:entry`, then rows
   * (`row:articles/42`); the first {@link MAX_FOUND}, none at the first build.
   */
  readonly found: readonly string[];
  /** Every row was compared with what was known, which can be relied on. */
  readonly isScanned?: boolean;
  /** Which sitemaps have to be looked at. */
  readonly feeds: Feeds;
  /** Pages that were rebuilt before were looked at. */
  readonly hasRebuilt?: boolean;
  /** Pages that failed are so many that a rebuild left them to the next build. */
  readonly leavesFailed?: boolean;
}

/** Enough to say why a page was put; a release is kept with them. */
const MAX_FOUND = 100;

/** More failed pages than this a rebuild does not try again: their number grows with the site. */
const MAX_RETRIES = 50;
/** The ledger's note that says so, for the next build: `left`, or `tried`. */
const RETRIES = "failed";

/** More changed rows than this are looked at page by page: the whole site costs less then. */
const MAX_CHANGES = 20_000;

/**
 * Plans a build; the plan is the run's steps in the ledger. Every row is compared with what the
 * last release knew of it, and what differs leads to the pages that read it. Where that cannot be
 * relied on (the first build, other columns, a clock that was set back, a run that was cut off) or
 * with `isVerify`, every page's trace is checked instead. Sitemaps read the other pages, so
 * `planFeeds` comes later.
 */
export async function planBuild(context: PlanContext, options: PlanOptions): Promise<Planned> {
  if (options.only !== undefined) return await planKind(context, options);
  const uses = usesOf(context);
  const basis = basisOf(context, uses);
  const last = options.isOvertaking ? basisBeside(context, basis) : lastBasis(context);
  const touched = new Touched();
  const isBased = last !== undefined && isReliable(context, last, basis);
  const seen = await seeRows(context, uses, { ...options, touched, isBased });
  const { changed } = seen;
  const isRebuild = options.targets !== undefined || options.changes !== undefined;
  const hasBars = (await planBarred(context)) || context.bars.lifted.length > 0;
  const wasLeft = !isRebuild && context.notes.get(RETRIES) === "left";
  const plan = {
    found: last === undefined ? [] : await findChanged(context, last, basis),
    notes: basisNotes(basis),
    isScanned: isBased && seen.isScanned,
    isNew: changed > 0 || hasBars || context.isCutOff || wasLeft || !isSameBasis(last, basis),
  };
  const isWhole = options.isVerify || changed > MAX_CHANGES;
  if (isWhole || last === undefined || !isBased) {
    await planAll(context, options);
    return { ...plan, notes: { ...plan.notes, [RETRIES]: "tried" }, feeds: "all" };
  }
  const hasRebuilt = (options.looksAgain ?? !isRebuild) && (await isAnyRebuilt(context));
  if (!isRebuild && !plan.isNew && !hasRebuilt && (await failAgain(context))) {
    return { ...plan, feeds: "none" };
  }
  if (hasRebuilt) await planRebuilt(context, touched);
  await planLifted(context, touched);
  const held = await context.ledger.quarantined(isRebuild ? MAX_RETRIES + 1 : undefined);
  const leavesFailed = options.isOvertaking || (isRebuild && held.length > MAX_RETRIES);
  const quarantined = leavesFailed ? [] : held;
  await planSome({ ...context, leavesFailed }, uses, options, {
    last,
    basis,
    touched,
    quarantined,
  });
  const sitemaps = context.site.kinds.filter(({ is }) => is === "sitemap");
  const failed = new Set(quarantined.map(({ kind }) => kind));
  const isOther = ({ name }: Kind) => last.prints[name] !== basis.prints[name] || failed.has(name);
  const feeds = sitemaps.some(isOther) ? "all" : "touched";
  const notes = { ...plan.notes, [RETRIES]: leavesFailed ? "left" : "tried" };
  return { ...plan, notes, leavesFailed, feeds, hasRebuilt: hasRebuilt && !isRebuild };
}

/** Plans the pages of one kind, and nothing that only a whole plan can know. */
async function planKind(context: PlanContext, options: PlanOptions): Promise<Planned> {
  await planAll(context, options);
  const kind = context.site.kinds.find(({ name }) => name === options.only);
  return { notes: {}, isNew: false, found: [], feeds: kind?.is === "sitemap" ? "kept" : "none" };
}

async function findChanged(
  { ledger, run }: PlanContext,
  last: Basis,
  basis: Basis,
): Promise<readonly string[]> {
  const rows = await ledger.seen(run, undefined, MAX_FOUND);
  const names = rows.map(({ table, key }) => `row:${table}/${keyName(decodeKey(key))}`);
  return [...changedParts(last.parts, basis.parts ?? {}), ...names].slice(0, MAX_FOUND);
}

/** Keeps with the run which rows changed: of all, or of those asked for and those that are due. */
async function seeRows(
  context: PlanContext,
  uses: readonly TableUse[],
  options: PlanOptions & {
    readonly touched: Touched;
    /** What was known before can be relied on. */
    readonly isBased: boolean;
  },
): Promise<{ readonly changed: number; readonly isScanned: boolean }> {
  const { targets, touched, isBased, onPages, changes, isUnchanged } = options;
  const trustsSums = isBased && !options.isVerify;
  const asked = targets === undefined ? undefined : parseTargets(targets, context.site);
  // Without a basis to start from, rows that nobody asked for have to be looked at as well.
  if (asked !== undefined && isBased) {
    const due = options.isOvertaking ? 0 : await seeDue(uses, context);
    const named = changes === undefined ? 0 : await seeNamed(context, uses, changes);
    const others = await seeTargets(context, uses, asked, touched);
    return { changed: due + named + others, isScanned: false };
  }
  // All rows are looked at anyway; a record that cannot be read is refused nevertheless.
  for await (const _ of changes ?? []);
  if (asked === undefined && trustsSums && (await isUnchanged?.())) {
    return { changed: await seeDue(uses, context), isScanned: false };
  }
  // The clock changes rows whose ranges sum up to the same.
  const due = trustsSums && context.rows.ranges !== undefined ? await seeDue(uses, context) : 0;
  const scanned = await scanTables(context, uses, { onPages, trustsSums });
  return { changed: due + scanned, isScanned: asked === undefined };
}

async function scanTables(
  context: PlanContext,
  uses: readonly TableUse[],
  { onPages, trustsSums }: Pick<PlanOptions, "onPages"> & Pick<ScanOptions, "trustsSums">,
): Promise<number> {
  const onRows = async (rows: number) => await onPages("scan", rows);
  let changed = 0;
  for (const use of uses) {
    changed += await scanTable(use, context, { onRows, trustsSums });
  }
  return changed;
}

/** Finds every page that should exist, and re-checks the trace of every page that does. */
async function planAll(context: PlanContext, options: PlanOptions): Promise<void> {
  const { only, foldsCase, onPages } = options;
  if (options.isOvertaking) throw tooLarge();
  const kinds = wanted(context, only).filter(({ is }) => is !== "sitemap");
  const keepsGone = only !== undefined;
  await planExistence(undefined, context, { keepsGone });
  if (!keepsGone) await planGoneKinds(context);
  const onBatch = async (pages: number) => await onPages("scan", pages);
  for (const kind of kinds.filter(({ is }) => is !== "redirect")) {
    await planExistence(kind, context, { keepsGone, onBatch });
  }
  await planClashes(context, { foldsCase });
  if (kinds.some(({ is }) => is === "redirect")) {
    await planAllRedirects(context, { keepsGone, onBatch });
  }
  for (const kind of kinds) {
    await planStale(kind, context, { onBatch: (pages) => onPages("check", pages) });
  }
}

/** Plans from the rows that changed; kinds whose making changed, and what stands on disk, as a whole. */
async function planSome(
  context: PlanContext,
  uses: readonly TableUse[],
  { foldsCase, onPages, isOvertaking = false }: PlanOptions,
  {
    last,
    basis,
    touched,
    quarantined,
  }: {
    readonly last: Basis;
    readonly basis: Basis;
    readonly touched: Touched;
    readonly quarantined: readonly Quarantined[];
  },
): Promise<void> {
  const whole = wholeKinds(context, last, basis);
  if (!isSameBasis(last, basis)) {
    await planExistence(undefined, context);
    await planGoneKinds(context);
  }
  if (isOvertaking) await planExistence(undefined, context, { keepsGone: true });
  for (const kind of whole) {
    if (kind.is === "redirect") touched.allRedirects();
    else await planExistence(kind, context);
  }
  if (isForRedirects(context, last, basis)) touched.allRedirects();
  const clashed = await planFailed(context, touched, quarantined);
  await planChanges(context, uses, { foldsCase, lastNow: last.now, touched, clashed });
  for (const kind of whole) {
    await planStale(kind, context, { onBatch: (pages) => onPages("check", pages) });
  }
}

/** Kinds whose pages may all have changed although no row did. */
function wholeKinds({ site }: PlanContext, last: Basis, basis: Basis): readonly Kind[] {
  if (isSameBasis(last, basis)) return [];
  const isOther = ({ name }: Kind) => last.prints[name] !== basis.prints[name];
  return site.kinds.filter(
    (kind) => kind.is !== "sitemap" && (kind.is === "content" || isOther(kind)),
  );
}

/** What no row and no page tells of: other lines in `content/`, an imported history, a store that folds case. */
function isForRedirects({ foldsCase }: PlanContext, last: Basis, basis: Basis): boolean {
  return foldsCase || last.content !== basis.content || last.imported !== basis.imported;
}

/**
 * Where nothing changed at all, pages that failed would fail again: they are only told. False when
 * a failure was not the pages' own and may be over.
 */
async function failAgain({ ledger, onFailure }: PlanContext): Promise<boolean> {
  const failed = await ledger.quarantined();
  if (failed.some(({ code }) => code.startsWith("store_"))) return false;
  for (const { kind, key, code, message, at } of failed) {
    const error = new PipelineError(code as ErrorCode, message, { at: JSON.parse(at) });
    onFailure({ page: { kind, key }, error });
  }
  return true;
}

/** Pages that failed at the last build are tried again, whatever changed. Gives those whose route was taken. */
async function planFailed(
  context: PlanContext,
  touched: Touched,
  failed: readonly Quarantined[],
): Promise<readonly PageId[]> {
  await planAgain(context, failed, touched, "failed");
  return failed.filter(({ code }) => code === "route_taken");
}

/**
 * Pages that rebuilds looked at are looked at again: they read rows as of that moment, whoever was
 * told of them, and such a row may since have become again what it was before. So are the places
 * from which they sought pages: rows that nobody had told of may have stood before them.
 */
async function planRebuilt(context: PlanContext, touched: Touched): Promise<void> {
  let after: PageId | undefined;
  for (;;) {
    const found = await context.ledger.rebuilt(after, BATCH);
    const pages = found.filter((each) => !touchPlace(each, context, touched));
    await planAgain(context, pages, touched, "rebuilt");
    if (found.length < BATCH) return;
    after = found.at(-1);
  }
}

async function isAnyRebuilt({ ledger }: PlanContext): Promise<boolean> {
  return (await ledger.rebuilt(undefined, 1)).length > 0;
}

/** False for what names no place of a list. */
function touchPlace(id: PageId, { site }: PlanContext, touched: Touched): boolean {
  for (const list of listsOf(site.kinds)) {
    const place = placeOf(list, id);
    if (place === undefined) continue;
    touched.place(list, place);
    return true;
  }
  return false;
}

/** Pages that are not taken down any more; of those that never stopped being live, all is looked at. */
async function planLifted(context: PlanContext, touched: Touched): Promise<void> {
  const { lifted } = context.bars;
  await planAgain(context, [...lifted, ...(await liveUnder(context, lifted))], touched, "lifted");
  await touchAround(context, touched, lifted);
}

/** Looks anew for pages that may not be what their rows say, and at those that are live. */
async function planAgain(
  context: PlanContext,
  pages: readonly PageId[],
  touched: Touched,
  reason: string,
): Promise<void> {
  for (const [name, own] of Map.groupBy(pages, (page) => page.kind)) {
    const kind = context.site.kinds.find((each) => each.name === name);
    if (kind === undefined || kind.is === "sitemap") continue;
    const keys = own.map(({ key }) => key);
    if (kind.is === "row") await planOwnPages(kind, keys, context);
    else if (kind.is === "list") await touchWindows(kind, keys, context, touched);
    else if (kind.is === "redirect") await touchRedirects(context, touched, own.map(redirectRoute));
    else await planExistence(kind, context);
    await stageChecks(context, own, reason);
  }
}

function isReliable(context: PlanContext, last: Basis, basis: Basis): boolean {
  if (!context.isStoreTrusted || context.isCutOff) return false;
  return last.uses === basis.uses && last.now <= basis.now;
}

/** What a run that overtakes another starts from: that one sees to all that is not about rows. */
function basisBeside(context: PlanContext, basis: Basis): Basis | undefined {
  const last = lastBasis(context);
  return last && { ...basis, now: last.now, uses: last.uses };
}

function tooLarge(): PipelineError {
  const message =
    "It takes a look at every page, which waits until the run that publishes is over.";
  return new PipelineError("run_conflict", message);
}

async function planGoneKinds(context: PlanContext): Promise<void> {
  const known = new Set([ASSET_KIND, ...context.site.kinds.map(({ name }) => name)]);
  for (const name of await context.ledger.liveKinds()) {
    if (!known.has(name)) await planGoneKind(name, context);
  }
}

function wanted({ site }: PlanContext, only: string | undefined): readonly Kind[] {
  return site.kinds.filter(({ name }) => only === undefined || name === only);
}
