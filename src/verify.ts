import { address, type PageId } from "./site.ts";
import { type Checked, slim } from "./verify/finding.ts";
import { type Inspected, type InspectOptions, openInspection } from "./verify/inspection.ts";
import { compareListing, type ListedPart } from "./verify/listing.ts";
import { openMissing } from "./verify/missing.ts";
import { openSample } from "./verify/sample.ts";

export type { Checked, Finding } from "./verify/finding.ts";

export interface VerifyOptions extends InspectOptions {
  /** How many pages are read, chosen by chance; `Infinity` for all. */
  readonly sample: number;
  /** For tests. */
  readonly random?: () => number;
}

/**
 * Compares the store with the ledger: every object by what a listing tells, some pages by their bytes
 * and headers, these also as readers get them. Changes nothing and needs no lease; runs may publish
 * meanwhile. What it holds does not grow with the number of pages.
 * @throws PipelineError `interrupted`, or that the store or the ledger cannot be read
 */
export async function verify(
  wired: Inspected,
  { sample: size, random = Math.random, ...options }: VerifyOptions,
): Promise<Checked> {
  const inspection = openInspection(wired, options);
  const { progress, lookAgain, read, goOn } = inspection;
  const [missing, sample] = [openMissing(), openSample(size, random)];
  let listed = 0;
  progress.begin("list");
  for await (const part of compareListing(wired)) {
    listed += part.objects;
    for (const { page } of part.pages) missing.saw(page.route);
    const good = goodOf(part);
    const isRead = size === Number.POSITIVE_INFINITY;
    if (isRead) await read(good);
    else sample.offer(good);
    await lookAgain(part.suspects);
    progress.add(part.objects - (isRead ? good.length : 0));
  }
  progress.begin("count");
  const unseen = missing.suspects(wired.ledger, (pages) => {
    goOn();
    progress.add(pages);
  });
  for await (const suspects of unseen) await lookAgain(suspects);
  progress.begin("sample", sample.chosen().length);
  await read(sample.chosen());
  return { listed, pages: await wired.ledger.countLive(), ...inspection.counts() };
}

/** Reads these pages' objects, and fetches them where readers do; pages that are gone by now are left out. */
export async function verifyPages(
  wired: Inspected,
  ids: readonly PageId[],
  options: InspectOptions,
): Promise<Checked> {
  const inspection = openInspection(wired, options);
  const live = (await wired.ledger.pages(ids)).filter((page) => page !== undefined);
  const pages = live.map((page) => {
    const { etag, bytes, route } = page;
    return { page: slim(page), listed: { key: address(route).key, etag, bytes } };
  });
  inspection.progress.begin("sample", pages.length);
  await inspection.read(pages);
  return { listed: pages.length, pages: pages.length, ...inspection.counts() };
}

/** Pages of which nothing is wrong so far. */
function goodOf({ pages, suspects }: ListedPart): ListedPart["pages"] {
  const bad = new Set(suspects.map(({ object }) => object));
  return pages.filter(({ listed }) => !bad.has(listed.key));
}
