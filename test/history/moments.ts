import fc from "fast-check";
import { badFileChange, type FileChange, fileChange } from "../pipeline/files.ts";
import { anyBadChange, type Change, change, postChange } from "../pipeline/rows.ts";
import type { Windows } from "./variants.ts";

/** What happens between two runs, and which run follows. */
export interface Moment {
  readonly changes: readonly Change[];
  readonly files: readonly FileChange[];
  /** Undefined leaves the definition as it is. */
  readonly windows: Windows | undefined;
  /** Of the clock; it may be set back. */
  readonly days: number;
  readonly run: Run;
  /** Which of the live pages is taken down before the run, and which takedown ends; counted round and round. */
  readonly away?: number | undefined;
  readonly back?: number | undefined;
}

/** A build; a rebuild of every row that changed; one of those whose bit is set, so that records are lost. */
export type Run = "build" | "rebuild" | { readonly told: number };

export interface History {
  /** Enough of them for archives. */
  readonly posts: readonly Change[];
  readonly moments: readonly Moment[];
}

const windows: fc.Arbitrary<Windows> = fc.record({
  head: fc.integer({ min: 1, max: 4 }),
  max: fc.integer({ min: 1, max: 3 }),
  near: fc.integer({ min: 0, max: 2 }),
});

const moment: fc.Arbitrary<Moment> = fc.record({
  changes: fc.array(
    fc.oneof({ weight: 30, arbitrary: change }, { weight: 1, arbitrary: anyBadChange }),
    { maxLength: 5 },
  ),
  files: fc.oneof(
    { weight: 40, arbitrary: fc.constant([]) },
    { weight: 8, arbitrary: fc.array(fileChange, { minLength: 1, maxLength: 2 }) },
    { weight: 1, arbitrary: fc.array(badFileChange, { minLength: 1, maxLength: 1 }) },
  ),
  windows: fc.oneof(
    { withCrossShrink: true },
    { weight: 15, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: windows },
  ),
  days: fc.oneof(
    { weight: 10, arbitrary: fc.constant(0) },
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 60 }) },
    { weight: 2, arbitrary: fc.constantFrom(0, 31) },
    { weight: 1, arbitrary: fc.integer({ min: -40, max: -1 }) },
  ),
  run: fc.oneof(
    { withCrossShrink: true },
    { weight: 4, arbitrary: fc.constant("build" as const) },
    { weight: 3, arbitrary: fc.constant("rebuild" as const) },
    { weight: 2, arbitrary: fc.record({ told: fc.integer({ min: 0, max: 255 }) }) },
  ),
});

const nth = fc.option(fc.nat(500), { nil: undefined, freq: 3 });

const momentWithTakedowns: fc.Arbitrary<Moment> = fc
  .record({ moment, away: nth, back: nth })
  .map(({ moment: same, ...more }) => ({ ...same, ...more }));

/** Histories of so many moments; a smaller counter-example has fewer. */
export function histories(
  moments: number,
  { hasTakedowns = false }: { readonly hasTakedowns?: boolean } = {},
): fc.Arbitrary<History> {
  // A moment becomes undefined when it can be left out. An array of up to so many would be shorter.
  const some = fc.option(hasTakedowns ? momentWithTakedowns : moment, {
    nil: undefined,
    freq: 1_000_000,
  });
  return fc
    .record({
      posts: fc.array(postChange, { maxLength: 24, size: "max" }),
      moments: fc.tuple(...Array.from({ length: moments }, () => some)),
    })
    .map(({ posts, moments: all }) => {
      const history = { posts, moments: all.filter((each) => each !== undefined) };
      return { ...history, [fc.toStringMethod]: () => describe(history) };
    });
}

/** A history to read: a line for each change. */
function describe({ posts, moments }: History): string {
  const lines = moments.flatMap((each, at) => [
    `  ${at + 1}: ${describeMoment(each)}`,
    ...each.changes.map((one) => `     ${brief(one)}`),
  ]);
  return ["", ...posts.map((one) => `  ${brief(one)}`), ...lines].join("\n");
}

/** A change as JSON, its long texts cut. */
function brief(each: Change): string {
  return JSON.stringify(each, (_, value) =>
    typeof value === "string" && value.length > 40 ? `${value.slice(0, 40)}…` : value,
  );
}

/** One moment without its rows, e.g. `+3 days, templates/note.eta "1", rebuild`. */
export function describeMoment({ days, files, windows: sizes, run, away, back }: Moment): string {
  return [
    ...(days === 0 ? [] : [`${days} days`]),
    ...files.map(
      ({ file, mark }) => `${file} ${mark === undefined ? "gone" : JSON.stringify(mark)}`,
    ),
    ...(away === undefined ? [] : [`page ${away} away`]),
    ...(back === undefined ? [] : [`takedown ${back} lifted`]),
    ...(sizes === undefined ? [] : [`windows ${JSON.stringify(sizes)}`]),
    typeof run === "string" ? run : `rebuild of ${run.told.toString(2)}`,
  ].join(", ");
}
