import type { PipelineError } from "../error.ts";
import type { KindCounts, RunEvent, Summary } from "../events.ts";
import type { Quarantined } from "../ledger/ledger.ts";
import type { Failure } from "../plan/context.ts";
import { decodeKey, keyName, type PageId } from "../site.ts";

type Counted = Exclude<keyof KindCounts, "kind" | "live">;
type Totals = Pick<Summary, Counted>;

/** The counts of a kind before anything was done. */
export const NOTHING = { candidates: 0, rendered: 0, changed: 0, deleted: 0, failed: 0, bytes: 0 };

/** What a run did so far: counts by kind, and the pages and rows that failed. */
export interface Tally {
  add(kind: string, what: Counted, count?: number): void;
  /** Counts a failure once, however many reads meet it, and tells it. */
  fail(failure: Failure): void;
  hasFailed(page: PageId): boolean;
  /** Pages that failed in this run and are not where others expected them: new and moved ones. */
  missing: number;
  unlinked: number;
  invalidated: number;
  total(what: Counted): number;
  totals(): Totals;
  kinds(): readonly Omit<KindCounts, "live">[];
  /** Failed pages as the ledger keeps them. */
  quarantined(): readonly Quarantined[];
}

/** An empty tally that tells failures to `emit`. */
export function openTally(emit: (event: RunEvent) => void): Tally {
  const kinds = new Map<string, Omit<KindCounts, "live">>();
  const failed = new Map<string, Failure>();
  const tally: Tally = {
    missing: 0,
    unlinked: 0,
    invalidated: 0,
    add(kind, what, count = 1) {
      const counts = kinds.get(kind) ?? { kind, ...NOTHING };
      kinds.set(kind, { ...counts, [what]: counts[what] + count });
    },
    fail(failure) {
      const name = failureName(failure);
      if (failed.has(name)) return;
      failed.set(name, failure);
      const { page, error } = failure;
      const kind = page?.kind ?? `table ${error.at["table"] ?? ""}`;
      const key = page === undefined ? (error.at["key"] ?? "") : keyName(decodeKey(page.key));
      tally.add(kind, "failed");
      emit({ event: "failed", kind, key, error });
    },
    hasFailed: (page) => failed.size > 0 && failed.has(pageName(page)),
    total: (what) => [...kinds.values()].reduce((sum, each) => sum + each[what], 0),
    totals: () =>
      Object.fromEntries(COUNTED.map((what) => [what, tally.total(what)])) as unknown as Totals,
    kinds: () => [...kinds.values()],
    quarantined: () => [...failed.values()].flatMap(toQuarantined),
  };
  return tally;
}

const COUNTED = Object.keys(NOTHING) as Counted[];

function failureName({ page, error }: Failure): string {
  return page === undefined ? rowName(error) : pageName(page);
}

function pageName({ kind, key }: PageId): string {
  return `page ${kind} ${Buffer.from(key).toString("hex")}`;
}

function rowName({ at, message }: PipelineError): string {
  return `row ${at["table"]} ${at["key"]} ${at["column"]} ${message}`;
}

function toQuarantined({ page, error }: Failure): readonly Quarantined[] {
  if (page === undefined) return [];
  const { code, message, at } = error;
  return [{ kind: page.kind, key: page.key, code, message, at: JSON.stringify(at) }];
}
