import type { Ledger } from "../ledger/ledger.ts";
import { type PageId, pageName } from "../site.ts";

/**
 * Pages that a rebuild looked at, and places of lists from which it sought them: it read newer rows
 * than it was told of, which a build must check.
 */
export interface Rebuilt {
  /** The same ledger; each step that a plan gets is noted. */
  watch(ledger: Ledger): Ledger;
  add(pages: readonly PageId[]): void;
  /** Undefined when they are too many to keep: then every page has to be looked at. */
  pages(): readonly PageId[] | undefined;
}

/** More pages than this are not worth a list. */
const MAX_PAGES = 20_000;

/** An empty list. */
export function openRebuilt(): Rebuilt {
  const pages = new Map<string, PageId>();
  const add = (more: readonly PageId[]) => {
    if (pages.size > MAX_PAGES) return;
    for (const { kind, key } of more) pages.set(pageName({ kind, key }), { kind, key });
  };
  return {
    watch: (ledger) => ({
      ...ledger,
      async stage(run, steps) {
        add(steps);
        await ledger.stage(run, steps);
      },
    }),
    add,
    pages: () => (pages.size > MAX_PAGES ? undefined : [...pages.values()]),
  };
}
