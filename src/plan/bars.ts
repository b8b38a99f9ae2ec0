import type { Bar, KnownBar, LivePage } from "../ledger/ledger.ts";
import { hasPrefix, isSamePage, isUnder, type PageId, pageName } from "../site.ts";
import { BATCH, type PlanContext } from "./context.ts";
import { deleteStep } from "./exist.ts";

/** What a run knows of the pages that are taken down. */
export interface Bars {
  readonly barred: readonly Bar[];
  /** Those that are not any more, and have not been made again yet. */
  readonly lifted: readonly KnownBar[];
  /** True for a page that is taken down: there is none, whatever its row says. */
  has(page: PageId): boolean;
  /** Adds a page that was taken down while the run goes on. */
  add(page: PageId): void;
}

/** A bar that is not in the ledger yet, or otherwise there. */
export type ImaginedBar = Bar & Partial<KnownBar>;

/** The bars of a ledger, as a run takes them, with imagined ones beside them or in their place. */
export function barsOf(ledgers: readonly KnownBar[], imagined: readonly ImaginedBar[] = []): Bars {
  const as = { state: "removed", routes: [], isErasing: false } as const;
  const known: readonly KnownBar[] = [
    ...ledgers.filter((each) => !imagined.some((own) => isSamePage(each, own))),
    ...imagined.map((own) => ({ ...as, ...own })),
  ];
  const [lifted, barred] = [known.filter(isLifted), known.filter((each) => !isLifted(each))];
  const names = new Set(barred.map(pageName));
  const below = barred.filter(({ isBelow }) => isBelow);
  return {
    barred,
    lifted,
    has: (page) =>
      (names.size > 0 && names.has(pageName(page))) || below.some((own) => isUnder(page, own)),
    add: (page) => names.add(pageName(page)),
  };
}

/** Stages the deletes of live pages that are taken down; gives whether there are any. */
export async function planBarred(context: PlanContext): Promise<boolean> {
  const { ledger, run, bars } = context;
  let isAny = false;
  for (let at = 0; at < bars.barred.length; at += BATCH) {
    const live = await liveUnder(context, bars.barred.slice(at, at + BATCH));
    isAny ||= live.length > 0;
    await ledger.stage(
      run,
      live.map((page) => deleteStep(page, "barred")),
    );
  }
  return isAny;
}

/** The live pages that bars stand for: their own, and those below. */
export async function liveUnder(
  { ledger }: Pick<PlanContext, "ledger">,
  bars: readonly Bar[],
): Promise<readonly LivePage[]> {
  const own = await ledger.pages(bars);
  const pages = own.filter((page) => page !== undefined);
  for (const { kind, key } of bars.filter(({ isBelow }) => isBelow)) {
    for (let after = key; ; ) {
      const live = await ledger.live(kind, after, BATCH);
      const under = live.filter((page) => hasPrefix(page.key, key));
      pages.push(...under);
      const last = under.at(-1);
      if (under.length < BATCH || last === undefined) break;
      after = last.key;
    }
  }
  return pages;
}

function isLifted({ state }: KnownBar): boolean {
  return state === "lifted";
}
