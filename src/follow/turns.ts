import type { Lane, Ledger, ToldRow } from "../ledger/ledger.ts";

/** Rows of editors that one rebuild looks at. */
const URGENT_ROWS = 500;
/** Turns of editors in a row while something waits in the background, which gets the next. */
const URGENT_TURNS = 4;
/** A slice of a mass update: how many rows, and how long it should take. */
const SLICE = { first: 250, least: 100, most: 5_000, ms: 500 } as const;

/** Whose turn it is, and what is to be done in it: rows of one lane, or one range to compare. */
export interface Turn {
  readonly lane: Lane;
  readonly told: readonly ToldRow[];
}

/** Lets what is urgent go first, and the background get on all the same. */
export interface Turns {
  /** Undefined when nothing is told. */
  next(): Promise<Turn | undefined>;
  /** How long a turn has taken: slices become as large as fits their time. */
  took(turn: Turn, ms: number): void;
}

/** Takes turns in what the ledger was told; `sliceRows` fixes the size of slices. */
export function openTurns(ledger: Pick<Ledger, "told">, sliceRows?: number): Turns {
  let rows = sliceRows ?? SLICE.first;
  let urgentTurns = 0;
  let background: readonly Lane[] = ["compare", "bulk"];
  const limits = (lane: Lane) => (lane === "urgent" ? URGENT_ROWS : lane === "bulk" ? rows : 1);
  return {
    async next() {
      const isShare = urgentTurns >= URGENT_TURNS;
      for (const lane of isShare
        ? [...background, "urgent" as const]
        : ["urgent" as const, ...background]) {
        const told = await ledger.told(limits(lane), lane);
        if (told.length === 0) continue;
        urgentTurns = lane === "urgent" ? urgentTurns + 1 : 0;
        // Neither of them waits for the end of the other.
        if (lane !== "urgent") background = background.toReversed();
        return { lane, told: lane === "urgent" ? whole(told) : told };
      }
      return undefined;
    },
    took({ lane, told }, ms) {
      if (sliceRows !== undefined || lane !== "bulk" || told.length < rows) return;
      const fitting = Math.round((rows * SLICE.ms) / Math.max(1, ms));
      const next = Math.min(2 * rows, Math.max(rows / 4, fitting));
      rows = Math.round(Math.min(SLICE.most, Math.max(SLICE.least, next)));
    },
  };
}

/** What one transaction told goes together: the last may be cut off. */
function whole(told: readonly ToldRow[]): readonly ToldRow[] {
  const last = told.at(-1)?.generation;
  const before = told.filter(({ generation }) => generation !== last);
  return told.length < URGENT_ROWS || before.length === 0 ? told : before;
}
