import type { Lane } from "../ledger/ledger.ts";
import type { Change } from "../source/feed.ts";

/** Rows that an editor's transaction may have; one with more is a mass update. */
const MAX_ROWS = 100;
/** So many rows of transactions that are alike, within so long, are a mass update, too. */
const ALIKE = { rows: 500, ms: 10_000 } as const;

/** Says for each transaction how soon its rows are to be looked at. */
export type LaneOf = (changes: readonly Change[]) => Lane;

/**
 * Large transactions are bulk, and so is what many small ones do that are alike: rows of the same
 * tables inserted, updated or deleted. What is bulk waits only while something urgent is told.
 */
export function openLanes(now: () => number = () => performance.now()): LaneOf {
  const seen = new Map<string, { rows: number; since: number }>();
  return (changes) => {
    if (changes.length > MAX_ROWS) return "bulk";
    const shape = [...new Set(changes.map(shapeOf))].sort().join();
    const known = seen.get(shape);
    const isOver = known === undefined || now() - known.since > ALIKE.ms;
    const own = isOver ? { rows: 0, since: now() } : known;
    own.rows += changes.length;
    seen.set(shape, own);
    return own.rows > ALIKE.rows ? "bulk" : "urgent";
  };
}

/** There are only so many: tables are declared. */
function shapeOf(change: Change): string {
  if (change.is === "rescan") return `${change.table.name} ?`;
  const did = change.before === undefined ? "+" : change.after === undefined ? "-" : "=";
  return `${change.table.name} ${did}`;
}
