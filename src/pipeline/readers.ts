import type { LivePage, Reader } from "../ledger/ledger.ts";
import { decodeTrace, usesOf } from "../plan/trace.ts";

/** What pages share now and did not before, and the other way round; a page that goes shares nothing. */
export function readerChanges(
  before: readonly (LivePage | undefined)[],
  after: readonly (LivePage | undefined)[],
): { readonly added: readonly Reader[]; readonly dropped: readonly Reader[] } {
  const [added, dropped]: [Reader[], Reader[]] = [[], []];
  for (const [at, old] of before.entries()) {
    const now = after[at];
    const had = sharedBy(old);
    const has = sharedBy(now);
    if (now) added.push(...only(has, had).map((read) => ({ read, kind: now.kind, key: now.key })));
    if (old)
      dropped.push(...only(had, has).map((read) => ({ read, kind: old.kind, key: old.key })));
  }
  return { added, dropped };
}

function sharedBy(page: LivePage | undefined): ReadonlyMap<string, Uint8Array> {
  return page === undefined ? new Map() : usesOf(decodeTrace(page.trace));
}

function only(
  here: ReadonlyMap<string, Uint8Array>,
  there: ReadonlyMap<string, Uint8Array>,
): readonly Uint8Array[] {
  return [...here].filter(([name]) => !there.has(name)).map(([, read]) => read);
}
