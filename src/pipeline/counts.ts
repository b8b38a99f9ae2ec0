import type { CauseCounts, KindCounts } from "../events.ts";
import { causeOf, type Step } from "../site.ts";

type OwnCounts = Omit<KindCounts, "live">;
export type Counted = Exclude<keyof KindCounts, "kind" | "live">;
type Caused = Exclude<keyof CauseCounts, "kind" | "cause">;

/** The counts of a kind before anything was done. */
export const NOTHING = { candidates: 0, rendered: 0, changed: 0, deleted: 0, failed: 0, bytes: 0 };
const NO_CAUSE: Readonly<Record<Caused, number>> = {
  candidates: 0,
  rendered: 0,
  changed: 0,
  deleted: 0,
};

/** Counts of pages by kind, and by kind and cause. */
export interface PageCounts {
  add(kind: string, what: Counted, count?: number): void;
  /** The same by cause. */
  addCaused(
    of: { readonly kind: string; readonly cause: string },
    what: Caused,
    count: number,
  ): void;
  /** Counts steps by their kinds and causes. */
  addSteps(steps: readonly Step[], what: Caused): void;
  kinds(): readonly OwnCounts[];
  /** By kind, then cause. */
  causes(): readonly CauseCounts[];
}

/** Counts from nothing. */
export function pageCounts(): PageCounts {
  const kinds = new Map<string, Mutable<OwnCounts>>();
  const causes = new Map<string, Mutable<CauseCounts>>();
  const counts: PageCounts = {
    add(kind, what, count = 1) {
      const own = kinds.get(kind) ?? { kind, ...NOTHING };
      own[what] += count;
      kinds.set(kind, own);
    },
    addCaused({ kind, cause }, what, count) {
      counts.add(kind, what, count);
      const name = `${kind} ${cause}`;
      const own = causes.get(name) ?? { kind, cause, ...NO_CAUSE };
      own[what] += count;
      causes.set(name, own);
    },
    addSteps(steps, what) {
      for (const step of steps)
        counts.addCaused({ kind: step.kind, cause: causeOf(step) }, what, 1);
    },
    kinds: () => [...kinds.values()],
    causes: () => [...causes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, own]) => own),
  };
  return counts;
}

type Mutable<T> = { -readonly [N in keyof T]: T[N] };
