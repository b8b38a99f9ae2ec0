import type { Ledger, LivePage } from "../ledger/ledger.ts";
import { address, digest } from "../site.ts";
import type { Suspect } from "./listing.ts";

/**
 * Finds the live pages that a listing did not tell, whose keys come in another order than pages do,
 * without holding either: pages are counted in groups by their routes, once as listed and once as
 * live. Where the counts differ, all pages of a group are suspects: of a million pages about 15 for
 * each one that is missing.
 */
export interface Missing {
  /** A listed object is this page's. */
  saw(route: string): void;
  suspects(
    ledger: Pick<Ledger, "countLive" | "liveKinds" | "live">,
    onPages: (pages: number) => void,
  ): AsyncGenerator<readonly Suspect[]>;
}

/** Groups of routes; a count takes four bytes. */
const GROUPS = 2 ** 16;
const BATCH = 500;

export function openMissing(): Missing {
  const groups = new Int32Array(GROUPS);
  let seen = 0;
  const add = (route: string, by: number) => {
    const group = groupOf(route);
    groups[group] = (groups[group] ?? 0) + by;
  };
  return {
    saw(route) {
      seen += 1;
      add(route, 1);
    },
    async *suspects(ledger, onPages) {
      if (seen === (await ledger.countLive())) return;
      for await (const pages of walk(ledger)) {
        onPages(pages.length);
        for (const { route } of pages) add(route, -1);
      }
      for await (const pages of walk(ledger)) {
        const unseen = pages.filter(({ route }) => (groups[groupOf(route)] ?? 0) < 0);
        const suspects = unseen.map(({ route }) => ({
          object: address(route).key,
          listed: undefined,
        }));
        if (suspects.length > 0) yield suspects;
      }
    },
  };
}

function groupOf(route: string): number {
  return digest(route).readUInt16BE(0);
}

/** All live pages, kind by kind. */
async function* walk(
  ledger: Pick<Ledger, "liveKinds" | "live">,
): AsyncGenerator<readonly LivePage[]> {
  for (const kind of await ledger.liveKinds()) {
    let after: Uint8Array | undefined;
    for (;;) {
      const pages = await ledger.live(kind, after, BATCH);
      yield pages;
      if (pages.length < BATCH) break;
      after = pages.at(-1)?.key;
    }
  }
}
