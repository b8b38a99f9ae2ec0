import { decodeKey, keyName } from "../site.ts";
import { type Changed, changesSince, type PastPage, pageAt } from "./past-state.ts";
import { checkTold } from "./releases.ts";
import type { Wired } from "./run.ts";

/** What became of a page from one release to another. */
export interface PageDiff {
  readonly kind: string;
  /** As people read it: `42`, `scaling,2024,1`. */
  readonly key: string;
  readonly did: "create" | "change" | "delete";
  /** In the second release; of a page that went, in the first. */
  readonly route: string;
  /** In the first release, where it is another. */
  readonly from: string | undefined;
  /** Why the last release that changed it did, as a step's reason; undefined when one made it anew. */
  readonly reason: string | undefined;
  /** Undefined where there is no page. */
  readonly bytesBefore: number | undefined;
  readonly bytesAfter: number | undefined;
}

/**
 * The pages that differ between two releases, in page order; either may be the later one.
 * @throws PipelineError `config_invalid`, `release_lost`
 */
export async function* diffReleases(
  { ledger }: Pick<Wired, "ledger">,
  [a, b]: readonly [number, number],
): AsyncGenerator<PageDiff> {
  const [last, notes] = await Promise.all([ledger.release(), ledger.notes()]);
  for (const each of [a, b]) {
    checkTold(each, { notes, last: { release: last, publisher: undefined } });
  }
  for await (const batch of changesSince(ledger, Math.min(a, b))) {
    for (const changed of batch) {
      const diff = diffOf(changed, [a, b]);
      if (diff !== undefined) yield diff;
    }
  }
}

function diffOf(changed: Changed, [a, b]: readonly [number, number]): PageDiff | undefined {
  const [before, after] = [pageAt(a, changed), pageAt(b, changed)];
  const page = after ?? before;
  if (page === undefined || isSame(before, after)) return undefined;
  const [earlier, later] = [Math.min(a, b), Math.max(a, b)];
  const ends = changed.pasts.filter(({ until }) => until > earlier && until <= later);
  const from = before !== undefined && before.route !== page.route ? before.route : undefined;
  return {
    kind: page.kind,
    key: keyName(decodeKey(page.key)),
    did: before === undefined ? "create" : after === undefined ? "delete" : "change",
    route: page.route,
    from,
    reason: ends.at(-1)?.reason,
    bytesBefore: before?.bytes,
    bytesAfter: after?.bytes,
  };
}

/** What nobody knows is told as a change. */
function isSame(a: PastPage | undefined, b: PastPage | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.hash === undefined || b.hash === undefined) return a.release === b.release;
  return a.route === b.route && Buffer.compare(a.hash, b.hash) === 0;
}
