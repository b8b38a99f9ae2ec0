import type { AnyList, AnyTable } from "../site.ts";

/** What was checked: declarations, and the state of what is stored. */
interface Checked {
  readonly state: string;
  readonly tables: readonly AnyTable[];
  readonly lists: readonly AnyList[];
}

/** Remembers one check that found nothing wrong, so that a process does not repeat it at each run. */
export interface CheckedOnce {
  /** Runs `work` unless it ended well for the same things before. */
  check(of: Checked, work: () => Promise<void>): Promise<void>;
  forget(): void;
}

/** Remembers nothing yet. */
export function checkedOnce(): CheckedOnce {
  let good: Checked | undefined;
  return {
    async check(of, work) {
      if (good !== undefined && isSame(good, of)) return;
      await work();
      good = of;
    },
    forget() {
      good = undefined;
    },
  };
}

/** Declarations are compared by identity: a process has each of them once. */
function isSame(a: Checked, b: Checked): boolean {
  return a.state === b.state && areSame(a.tables, b.tables) && areSame(a.lists, b.lists);
}

function areSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((each, at) => each === b[at]);
}
