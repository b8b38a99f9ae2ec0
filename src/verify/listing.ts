import { MARKER } from "../pipeline/marker.ts";
import type { Wired } from "../pipeline/run.ts";
import type { Listed } from "../publish/store.ts";
import { address, routeOfKey } from "../site.ts";
import { type SlimPage, slim } from "./finding.ts";

/** A page and its object as the listing tells it. */
export interface ListedPage {
  readonly page: SlimPage;
  readonly listed: Listed;
}

/** What listing and ledger do not agree on; the one may be older than the other, so it is looked at again. */
export interface Suspect {
  readonly object: string;
  /** Undefined where the listing did not tell the object. */
  readonly listed: Listed | undefined;
}

/** A part of the listing beside the ledger. */
export interface ListedPart {
  readonly objects: number;
  /** Live pages at these objects; two while pages exchange a route. */
  readonly pages: readonly ListedPage[];
  readonly suspects: readonly Suspect[];
}

/** Keys in one answer of S3. */
const BATCH = 1000;

/** Lists the whole store and looks for the page of each object; holds as many as one answer tells. */
export async function* compareListing({
  ledger,
  store,
}: Pick<Wired, "ledger" | "store">): AsyncGenerator<ListedPart> {
  for await (const batch of inBatches(store.list(""), BATCH)) {
    const own = batch.filter(({ key }) => key !== MARKER);
    const live = await ledger.liveFolded(own.map(({ key }) => routeOfKey(key)));
    const owners = Map.groupBy(live, ({ route }) => address(route).key);
    const pages = own.flatMap((listed) =>
      (owners.get(listed.key) ?? []).map((page) => ({ page: slim(page), listed })),
    );
    const good = new Set(pages.filter(isAsListed).map(({ listed }) => listed.key));
    const suspects = own
      .filter(({ key }) => !good.has(key))
      .map((listed) => ({ object: listed.key, listed }));
    yield { objects: own.length, pages, suspects };
  }
}

/** True when nothing that a listing tells speaks against it. */
function isAsListed({ page, listed }: ListedPage): boolean {
  if (page.hash === undefined || page.bytes !== listed.bytes) return false;
  return isSameTag(page.etag, listed.etag) ?? true;
}

/** Undefined when one of them is not known. Some servers leave out the quotes in lists. */
export function isSameTag(a: string | undefined, b: string | undefined): boolean | undefined {
  if (a === undefined || b === undefined) return undefined;
  const bare = (etag: string) => etag.replace(/^"(.*)"$/, "$1");
  return bare(a) === bare(b);
}

/** The items of a stream, so many at a time. */
export async function* inBatches<T>(
  items: AsyncIterable<T>,
  size: number,
): AsyncGenerator<readonly T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
