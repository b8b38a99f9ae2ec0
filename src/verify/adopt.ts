import { PipelineError } from "../error.ts";
import type { Adopted, Ledger } from "../ledger/ledger.ts";
import { ADOPTION, BEGUN, OPEN } from "../pipeline/adopted.ts";
import { begin, interrupted } from "../pipeline/begin.ts";
import { tie } from "../pipeline/expectations.ts";
import { MARKER } from "../pipeline/marker.ts";
import { openRun } from "../pipeline/open-run.ts";
import { openProgress, type Progress } from "../pipeline/progress.ts";
import type { BuildOptions, Run, Wired } from "../pipeline/run.ts";
import { lookPrice } from "../price.ts";
import { insist } from "../publish/slots.ts";
import type { Listed } from "../publish/store.ts";
import { address, routeOfKey } from "../site.ts";
import { inBatches } from "./listing.ts";

/** What a store holds for a ledger that knows nothing of it. */
export interface Adoption {
  readonly objects: number;
  /** Of these, those that wait for their pages now. */
  readonly adopted: number;
  /** Those that carry no digest of ours; they stay as they are. */
  readonly foreign: number;
}

export interface AdoptOptions extends Pick<BuildOptions, "signal" | "emit" | "now"> {
  /** Counts the objects and tells the price, no more. */
  readonly isDryRun?: boolean;
  /** Told before anything is changed, once all objects are counted. */
  readonly onPrice: (price: AdoptPrice) => void;
}

/** Requests that an adoption takes, and their price where the store is S3. */
export interface AdoptPrice extends ReturnType<typeof lookPrice> {
  readonly objects: number;
}

/** What the CDN was yet to be told, only the lost ledger knew; for the price of one item nothing stays stale. */
const EVERYTHING = ["/*"];
/** Keys in one answer of S3. */
const BATCH = 1000;

/**
 * Takes over a store whose ledger was lost: ties it to this ledger, which must know no pages, and
 * notes what each object is, by its digest and tag. The next build claims what is right without a
 * put, puts what differs, and deletes what carries our digest and is no page's. Cut off, it begins
 * anew; until then no build publishes. Nothing else may publish to the store meanwhile.
 * @returns undefined for a dry run
 * @throws PipelineError `adopt_refused` when the ledger knows pages
 */
export async function adopt(wired: Wired, options: AdoptOptions): Promise<Adoption | undefined> {
  const { signal, emit, isDryRun = false } = options;
  await checkEmpty(wired.ledger);
  const progress = openProgress(emit);
  const objects = await countObjects(wired, { signal, progress });
  options.onPrice({ objects, ...lookPrice({ objects, lists: 2, heads: 1 }) });
  if (isDryRun) return undefined;
  const now = (options.now ?? (() => Date.now() * 1000))();
  const asked = { signal, emit, allowDeletes: true, isDryRun: false };
  await using begun = await begin(wired, { now, allowDeletes: true });
  await using run = openRun(wired, asked, begun);
  await run.claim();
  // From here on no build relies on what was adopted before, nor on half of what will be.
  const items = wired.cdn.isCaching ? EVERYTHING : [];
  await wired.ledger.beginAdoption({ items, notes: { [ADOPTION]: BEGUN } });
  // What a build after an earlier adoption made live may be gone, or another's.
  if (!begun.isStoreTrusted) await wired.ledger.doubtAll(begun.run);
  await tie(run);
  run.progress.begin("adopt", objects);
  const adoption = await adoptAll(run);
  await run.goOn();
  await wired.ledger.setNote(ADOPTION, OPEN);
  return adoption;
}

async function checkEmpty(ledger: Pick<Ledger, "note" | "countLive">): Promise<void> {
  const state = await ledger.note(ADOPTION);
  if (state === BEGUN || state === OPEN || (await ledger.countLive()) === 0) return;
  const message = "The ledger knows the pages of a site already, so there is nothing to adopt.";
  throw new PipelineError("adopt_refused", message, {
    hint: "Use `nightbake verify --repair`, or name a new ledger if this one is not the store's.",
  });
}

async function countObjects(
  { store }: Wired,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress: Progress },
): Promise<number> {
  let objects = 0;
  progress.begin("list");
  for await (const batch of inBatches(ours(store.list("")), BATCH)) {
    if (signal.aborted) throw interrupted();
    objects += batch.length;
    progress.add(batch.length);
  }
  return objects;
}

async function adoptAll(run: Run): Promise<Adoption> {
  const { ledger, store } = run.wired;
  let [objects, adopted] = [0, 0];
  for await (const batch of inBatches(ours(store.list("")), BATCH)) {
    await run.goOn();
    const found = await Promise.all(batch.map((each) => lookAt(run, each)));
    const own = found.filter((each) => each !== undefined);
    await ledger.adopt(own);
    objects += batch.length;
    adopted += own.length;
    run.progress.add(batch.length);
  }
  return { objects, adopted, foreign: objects - adopted };
}

/** Undefined for what is not ours, or gone by now. */
async function lookAt({ wired }: Run, { key: object }: Listed): Promise<Adopted | undefined> {
  const { store, slots } = wired;
  // No page's object, such as what some programs put for a folder.
  if (address(routeOfKey(object)).key !== object) return undefined;
  const head = await insist(slots, () => store.head(object));
  if (head === undefined) return undefined;
  if (!store.keepsHeaders) return { object, hash: undefined, etag: head.etag };
  if (!/^[0-9a-f]{32}$/.test(head.hash ?? "")) return undefined;
  return { object, hash: Buffer.from(head.hash ?? "", "hex"), etag: head.etag };
}

async function* ours(listed: AsyncIterable<Listed>): AsyncGenerator<Listed> {
  for await (const each of listed) if (each.key !== MARKER) yield each;
}
