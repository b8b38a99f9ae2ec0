import { randomUUID } from "node:crypto";
import type { Ledger } from "../ledger/ledger.ts";
import { isSameStart } from "../plan/exist.ts";
import { ASSET_KIND } from "../plan/kinds.ts";
import { type PageId, pageName, type Site, type Step } from "../site.ts";

/** What other runs published between the batches of one that went on publishing afterwards. */
export interface Overtakes {
  /** The ledger for the run itself: what it would plan for pages that others looked at stays undone. */
  readonly watched: Ledger;
  /** What the ledger knows of the rows that others found changed is kept under this name. */
  readonly name: string;
  /** The same for others. */
  readonly plain: Ledger;
  /** Others looked at these pages, with newer rows, and put what is at these routes. */
  add(pages: readonly PageId[], routes: ReadonlyMap<string, string>): void;
  /** True for a step that would publish something older than what is there. */
  isOld(step: Step): boolean;
  /** What the next build has to look at again; undefined when it is too much to keep. */
  pages(): readonly PageId[] | undefined;
  /**
   * What the run has yet to do that changes which pages there are, and how lists are cut: who overtakes
   * it plans from that. Undefined when it is too much to take over.
   */
  turns(): Promise<readonly Step[] | undefined>;
  /** Sees to it that pages go of which others found that they should, once nothing links to them. */
  leave(deletes: readonly Step[]): Promise<void>;
  /** The run has only feeds and deletes left to do, a round of both. */
  beginRound(): Promise<void>;
  /** Others came since the round began; after a few rounds they have to wait. */
  hasNews(): boolean;
  /** Waits for what the CDN has yet to do for others. */
  readonly works: Promise<unknown>[];
  /** The run is about to record its release: whoever comes now waits for its end. */
  isOver: boolean;
  /** Why one of them was cut off between a put and its record: the run is cut off, too. */
  broken: Error | undefined;
}

/** A run ends after so many rounds, however many are in a hurry. */
const MAX_ROUNDS = 5;

/** A run with more such steps than this is not overtaken. */
const MAX_TURNS = 1_000;

/** More pages than this are not worth a list. */
const MAX_PAGES = 20_000;

/** Nobody has overtaken the run yet. */
export function openOvertakes(site: Site, ledger: Ledger, run: string): Overtakes {
  const pages = new Map<string, PageId>();
  const owners = new Map<string, string>();
  // What is made of other pages is made of what is live, whoever put it.
  const derived = new Set([ASSET_KIND, ...site.kinds.flatMap((each) => isDerived(each))]);
  const isOld = (step: Step) => {
    if (derived.has(step.kind)) return false;
    const name = pageName(step);
    const owner = step.action === "delete" ? undefined : owners.get(step.route);
    return pages.has(name) || (owner !== undefined && owner !== name);
  };
  const late: Step[] = [];
  const { stage, left } = openTurns(site, ledger, run);
  let rounds = 0;
  let hasNews = false;
  return {
    watched: {
      ...ledger,
      stage: (_, steps) => stage(steps.filter((step) => !isOld(step))),
    },
    name: randomUUID(),
    plain: ledger,
    add(more, routes) {
      for (const { kind, key } of more) pages.set(pageName({ kind, key }), { kind, key });
      for (const [route, owner] of routes) owners.set(route, owner);
    },
    async turns() {
      const turns = await left();
      return turns && [...turns, ...late];
    },
    async leave(deletes) {
      hasNews = true;
      if (rounds === 0) await stage(deletes);
      else late.push(...deletes);
    },
    async beginRound() {
      rounds += 1;
      hasNews = false;
      await stage(late.splice(0));
    },
    hasNews: () => hasNews && rounds < MAX_ROUNDS,
    isOld,
    pages: () => (pages.size > MAX_PAGES ? undefined : [...pages.values()]),
    works: [],
    isOver: false,
    broken: undefined,
  };
}

function isDerived({ is, name }: Site["kinds"][number]): readonly string[] {
  return is === "sitemap" ? [name] : [];
}

/** Adds to a run's plan, and remembers which steps are of those that others have to know. */
function openTurns(site: Site, ledger: Ledger, run: string) {
  const lists = new Set(site.kinds.filter(({ is }) => is === "list").map(({ name }) => name));
  const turns = new Map<string, PageId>();
  return {
    async stage(steps: readonly Step[]): Promise<void> {
      for (const { kind, key } of await turnsAmong(ledger, steps, lists)) {
        if (turns.size <= MAX_TURNS) turns.set(pageName({ kind, key }), { kind, key });
      }
      await ledger.stage(run, steps);
    },
    async left(): Promise<readonly Step[] | undefined> {
      if (turns.size > MAX_TURNS) return undefined;
      const steps = await ledger.stepsOf(run, [...turns.values()]);
      return steps.filter((step) => step !== undefined);
    },
  };
}

/** Steps that make pages go, and windows of lists come or begin elsewhere. */
async function turnsAmong(
  ledger: Ledger,
  steps: readonly Step[],
  lists: ReadonlySet<string>,
): Promise<readonly Step[]> {
  const windows = steps.filter(({ kind, action }) => lists.has(kind) && action === "update");
  const live = windows.length === 0 ? [] : await ledger.pages(windows);
  const moved = windows.filter((step, at) => !isSameStart(live[at]?.start, step.start));
  const others = steps.filter(
    ({ kind, action }) => action === "delete" || (action === "create" && lists.has(kind)),
  );
  return [...others, ...moved];
}
