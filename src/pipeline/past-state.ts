import type { Ledger, LivePage, Past } from "../ledger/ledger.ts";
import { type PageId, pageName } from "../site.ts";

/** A page that releases after some release changed: what it was before each, and what it is. */
export interface Changed {
  readonly id: PageId;
  /** The earliest first. */
  readonly pasts: readonly Past[];
  readonly live: LivePage | undefined;
}

/** What a page was when a release was done; a live one has no `until`. */
export type PastPage = Omit<LivePage, "trace" | "cause"> & Partial<Pick<Past, "until">>;

/** Pages read together. */
const BATCH = 200;

/**
 * What a page was as of a release, undefined when there was none. Pure. The first release after it
 * that changed the page says so; what that found was there before only if an earlier one put it.
 */
export function pageAt(
  release: number,
  { pasts, live }: Pick<Changed, "pasts" | "live">,
): PastPage | undefined {
  const page = pasts.find(({ until }) => until > release) ?? live;
  return page !== undefined && page.release <= release ? page : undefined;
}

/** The pages that releases after `release` put, replaced or deleted, in batches, in page order. */
export async function* changesSince(
  ledger: Ledger,
  release: number,
): AsyncGenerator<readonly Changed[]> {
  for (const kind of await ledger.changedKinds()) {
    let after: Uint8Array | undefined;
    for (;;) {
      const ids = await ledger.changedSince(release, { kind, after, limit: BATCH });
      if (ids.length > 0) yield await changedOf(ledger, ids, release);
      if (ids.length < BATCH) break;
      after = ids.at(-1)?.key;
    }
  }
}

/** What releases after `release` found these pages to be, in the order asked for. */
export async function changedOf(
  ledger: Ledger,
  ids: readonly PageId[],
  release: number,
): Promise<readonly Changed[]> {
  const [pasts, live] = await Promise.all([ledger.pastsOf(ids, release), ledger.pages(ids)]);
  const byPage = Map.groupBy(pasts, pageName);
  return ids.map((id, at) => ({ id, pasts: byPage.get(pageName(id)) ?? [], live: live[at] }));
}
