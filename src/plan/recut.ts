import type { LivePage } from "../ledger/ledger.ts";
import {
  decodeKey,
  encodeKey,
  hasPrefix,
  hexOf,
  type Key,
  type KeyPart,
  type ListKind,
  type Step,
} from "../site.ts";
import type { Place, Window } from "../source/source.ts";
import type { PlanContext } from "./context.ts";
import { deleteStep, stepFor } from "./exist.ts";
import { foundWindow } from "./list-pages.ts";
import { plannedPages } from "./planned.ts";
import type { Touched, TouchedPart } from "./touched.ts";
import { bucketBound, bucketOf, windowCutter, windowKey, windowName, windowOf } from "./windows.ts";

/** Windows of a bucket read at a time. */
const WINDOWS = 32;
/** Places read at a time while a whole partition is cut. */
const PLACES = 1000;

/**
 * Steps for the pages of one partition in which places were touched: windows that appear, go or
 * begin elsewhere, and checks for those that a touched place falls into. Its cost depends on the
 * windows it touches, not on the length of the list.
 */
export async function recut(
  kind: ListKind,
  touched: TouchedPart,
  context: PlanContext,
): Promise<readonly Step[]> {
  const { list } = kind;
  const part = touched.part as KeyPart | undefined;
  const headKey = encodeKey(windowKey({ part, archive: undefined }));
  if (context.bars.has({ kind: kind.name, key: headKey })) return [];
  const newest: Window = { part, first: "newest", limit: list.head + 1 };
  const [places = []] = await context.rows.placesIn(list, [newest]);
  if (places.length === 0) return await deletesBelow(kind, context, headKey, { withHead: true });
  const [head] = await context.ledger.pages([{ kind: kind.name, key: headKey }]);
  const found = foundWindow(kind, { part, archive: undefined, start: undefined });
  const headSteps = stepOrCheck(kind, found, head, context).filter(
    ({ action }) => action !== "check" || mayShow(touched, places[list.head - 1]),
  );
  if (places.length <= list.head) {
    return [...headSteps, ...(await deletesBelow(kind, context, headKey, { withHead: false }))];
  }
  const [archive] = await context.ledger.live(kind.name, headKey, 1);
  const isArchived = archive !== undefined && hasPrefix(archive.key, headKey);
  if (!isArchived) return [...headSteps, ...(await cutAll(kind, part, context))];
  const buckets = Map.groupBy(touched.places, (place) => bucketOf(list.cut, place[0]));
  const steps = [...headSteps];
  for (const [bucket, own] of buckets) {
    steps.push(...(await recutBucket({ kind, part, bucket, context }, own)));
  }
  return steps;
}

/**
 * True when a touched place is among a head page's entries, of which `last` is the oldest, or was
 * before one came: it names its archive, too, but that is found by the windows that come and go.
 */
function mayShow({ places }: TouchedPart, last: Place | undefined): boolean {
  const newest = places.at(-1);
  if (newest === undefined || last === undefined) return true;
  return compareKeys(newest, last.order as Key) >= 0;
}

interface Bucket {
  readonly kind: ListKind;
  readonly part: KeyPart | undefined;
  /** Undefined for `appendOnly`: the whole partition is one. */
  readonly bucket: string | undefined;
  readonly context: PlanContext;
}

/**
 * Cuts a bucket anew from the window that the oldest touched place falls into, until it fits again;
 * then from the window of the next touched place.
 */
async function recutBucket(own: Bucket, places: readonly Key[]): Promise<readonly Step[]> {
  const { kind, part, bucket, context } = own;
  const { list } = kind;
  const [oldest] = places;
  if (oldest === undefined) return [];
  const steps: Step[] = [];
  let n = await windowAt(own, oldest, 1);
  let from = n === 1 ? undefined : await plannedStart(own, n);
  for (;;) {
    const range = rangeOf(own, from, list.cut.max + 1);
    const [found = []] = await context.rows.placesIn(list, [range]);
    const start = found[0]?.order as Key | undefined;
    if (start === undefined) return [...steps, ...(await deletesFrom(own, n))];
    const archive = { name: windowName(bucket, n), bucket, n };
    const window = foundWindow(kind, { part, archive, start });
    steps.push(...stepOrCheck(kind, window, await liveWindow(own, n), context));
    const next = found[list.cut.max]?.order as Key | undefined;
    if (next === undefined) return [...steps, ...(await deletesFrom(own, n + 1))];
    const after = await plannedStart(own, n + 1);
    const isSame = after !== undefined && Buffer.compare(after, encodeKey(next)) === 0;
    const later = places.find((place) => compareKeys(place, next) >= 0);
    if (isSame && later === undefined) return steps;
    n = isSame && later ? await windowAt(own, later, n + 1) : n + 1;
    from = isSame ? await plannedStart(own, n) : encodeKey(next);
  }
}

/**
 * The last window from `low` on that begins at or before a place, found by halving; else `low`. It
 * may be an earlier one where others failed, from which cutting comes to the place as well.
 */
async function windowAt(own: Bucket, place: Key, low: number): Promise<number> {
  const bytes = encodeKey(place);
  const isBefore = async (n: number) => {
    const start = await plannedStart(own, n);
    return start !== undefined && Buffer.compare(start, bytes) <= 0;
  };
  let last = low;
  let ahead = 1;
  for (; await isBefore(last + ahead); ahead *= 2) last += ahead;
  let end = last + ahead;
  while (end - last > 1) {
    const middle = Math.floor((last + end) / 2);
    if (await isBefore(middle)) last = middle;
    else end = middle;
  }
  return last;
}

async function liveWindow(own: Bucket, n: number): Promise<LivePage | undefined> {
  const { kind, context } = own;
  const [page] = await context.ledger.pages([{ kind: kind.name, key: keyOf(own, n) }]);
  return page;
}

/**
 * Where a window begins as planned so far: a list is cut again when pages appear in it or go. What
 * the ledger knows of one that failed is where its last good version did: that says nothing.
 */
async function plannedStart(own: Bucket, n: number): Promise<Uint8Array | undefined> {
  const { kind, context } = own;
  const id = { kind: kind.name, key: keyOf(own, n) };
  const [page] = await plannedPages(context, [id]);
  if (page?.start === undefined || context.hasFailed(id)) return undefined;
  const [isQuarantined] = await context.ledger.areQuarantined([id]);
  return isQuarantined ? undefined : page.start;
}

function keyOf({ part, bucket }: Bucket, n: number): Uint8Array {
  return encodeKey(windowKey({ part, archive: { name: "", bucket, n } }));
}

function rangeOf(
  { kind, part, bucket }: Bucket,
  from: Uint8Array | undefined,
  limit: number,
): Window {
  const lower = from === undefined ? lowest(bucket) : { order: decodeKey(from), isInclusive: true };
  const bounds = { ...(lower && { from: lower }), ...bucketBound(kind.list.cut, bucket) };
  return { part, ...bounds, first: "oldest", limit };
}

/** A bucket begins at its first instant. */
function lowest(bucket: string | undefined): Window["from"] {
  if (bucket === undefined) return undefined;
  const [year = 0, month = 1, day = 1] = bucket.split("-").map(Number);
  return { order: [Date.UTC(year, month - 1, day) * 1000], isInclusive: true };
}

/** A partition that outgrew its head page gets its whole archive. */
async function cutAll(
  kind: ListKind,
  part: KeyPart | undefined,
  context: PlanContext,
): Promise<readonly Step[]> {
  const next = windowCutter(kind.list);
  const steps: Step[] = [];
  let from: Window["from"];
  for (;;) {
    const window: Window = { part, first: "oldest", limit: PLACES, ...(from && { from }) };
    const [places = []] = await context.rows.placesIn(kind.list, [window]);
    for (const { order } of places) {
      for (const each of next({ part: part ?? null, order: order as Key })) {
        if (each.archive === undefined) continue;
        steps.push(...stepOrCheck(kind, foundWindow(kind, each), undefined, context));
      }
    }
    if (places.length < PLACES) return steps;
    from = { order: places.at(-1)?.order ?? [], isInclusive: false };
  }
}

/** The windows of a bucket from the `n`th on go; those that failed when they were new are not there. */
async function deletesFrom(own: Bucket, n: number): Promise<readonly Step[]> {
  const { kind, part, bucket, context } = own;
  const key = windowKey({ part, archive: undefined });
  const prefix = encodeKey(bucket === undefined ? key : [...key, bucket]);
  return await deletesAfter(kind, context, keyOf(own, n - 1), prefix);
}

async function deletesBelow(
  kind: ListKind,
  context: PlanContext,
  headKey: Uint8Array,
  { withHead }: { readonly withHead: boolean },
): Promise<readonly Step[]> {
  const [head] = withHead ? await context.ledger.pages([{ kind: kind.name, key: headKey }]) : [];
  const steps = await deletesAfter(kind, context, headKey, headKey);
  return head === undefined ? steps : [deleteStep(head, "gone"), ...steps];
}

/** Deletes of the live pages whose keys come after one and begin with `prefix`. */
async function deletesAfter(
  kind: ListKind,
  { ledger }: PlanContext,
  first: Uint8Array,
  prefix: Uint8Array,
): Promise<readonly Step[]> {
  const steps: Step[] = [];
  let after = first;
  for (;;) {
    const pages = await ledger.live(kind.name, after, WINDOWS);
    const own = pages.filter(({ key }) => hasPrefix(key, prefix));
    steps.push(...own.map((page) => deleteStep(page, "gone")));
    const last = own.at(-1);
    if (own.length < WINDOWS || last === undefined) return steps;
    after = last.key;
  }
}

function stepOrCheck(
  kind: ListKind,
  found: Parameters<typeof stepFor>[2]["found"],
  live: LivePage | undefined,
  context: PlanContext,
): readonly Step[] {
  const steps = stepFor(kind, kind.name, { found, live }, context);
  if (steps.length > 0 || live === undefined || found?.error !== undefined) return steps;
  return [checkStep(live, `list:${kind.list.name}`)];
}

/** Touches the windows of pages: cutting begins where the last one before them does that is known. */
export async function touchWindows(
  kind: ListKind,
  keys: readonly Uint8Array[],
  context: PlanContext,
  touched: Touched,
): Promise<void> {
  const names = new Set(keys.map(hexOf));
  for (const key of keys) {
    const { part, archive } = windowOf(kind.list, decodeKey(key));
    touched.part(kind.list, part);
    if (archive === undefined) continue;
    const own: Bucket = { kind, part, bucket: archive.bucket, context };
    const order = await placeBefore(own, archive.n, names);
    if (order !== undefined) touched.place(kind.list, { part: part ?? null, order });
  }
}

/** Where the last window before the `n`th begins of which that is known, else the oldest entry of their bucket. */
async function placeBefore(
  own: Bucket,
  n: number,
  names: ReadonlySet<string>,
): Promise<Place["order"] | undefined> {
  for (let before = n - 1; before > 0; before -= 1) {
    const start = await plannedStart(own, before);
    if (start !== undefined) return decodeKey(start);
    // Cutting goes on to the next one from where this one, which failed as well, is touched.
    if (names.has(hexOf(keyOf(own, before)))) return undefined;
  }
  const { kind, context } = own;
  const [oldest = []] = await context.rows.placesIn(kind.list, [rangeOf(own, undefined, 1)]);
  if (oldest[0] !== undefined) return oldest[0].order;
  // A bucket that holds nothing any more is still touched where its page began.
  const start = (await liveWindow(own, n))?.start;
  return start && decodeKey(start);
}

/** Says that a change may have reached a page. */
export function checkStep({ kind, key, route, start }: LivePage, reason: string): Step {
  return { kind, key, phase: "changed", action: "check", reason, route, from: undefined, start };
}

function compareKeys(a: Key, b: Key): number {
  return Buffer.compare(encodeKey(a), encodeKey(b));
}
