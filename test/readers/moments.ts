import fc from "fast-check";
import type { Caching } from "../../src/site.ts";
import { type FileChange, fileChange } from "../pipeline/files.ts";
import { type Change, change, postChange } from "../pipeline/rows.ts";

/** What happens to a site that is read all the while: deeds, a run that brings them to readers, time. */
export interface Moment {
  readonly deeds: readonly Deed[];
  readonly files: readonly FileChange[];
  readonly run: Run;
  /** Until the next moment. */
  readonly seconds: number;
}

export type Deed =
  | { readonly do: "rows"; readonly changes: readonly Change[] }
  /** Every post but those whose number is a multiple. */
  | { readonly do: "delete most"; readonly but: number }
  | { readonly do: "delete author"; readonly author: string }
  | { readonly do: "rename author"; readonly from: string; readonly to: string }
  /** Every post whose number is a multiple appears or goes. */
  | { readonly do: "status"; readonly of: number; readonly status: string }
  /** Another slug for every post whose number is a multiple. */
  | { readonly do: "rename posts"; readonly of: number; readonly slug: string }
  /** New posts from this number on, each of which links to all the others. */
  | {
      readonly do: "cluster";
      readonly from: number;
      readonly posts: number;
      readonly topic: string;
    }
  /** Templates and an asset that are made for each other. */
  | { readonly do: "look"; readonly look: number }
  /** How long browsers may show pages of some kinds. */
  | { readonly do: "caching"; readonly kinds: readonly string[]; readonly caching: Caching };

/** A build, a rebuild of the posts that changed, a rollback; killed at an effect, or not. */
export interface Run {
  readonly is: "build" | "rebuild" | "rollback";
  /** Releases back. */
  readonly ago: number;
  readonly killedAt: number | undefined;
}

export interface History {
  readonly posts: readonly Change[];
  readonly caching: Deed;
  readonly moments: readonly Moment[];
  readonly hasTags: boolean;
  /** Of the dice. */
  readonly seed: number;
}

const caching: fc.Arbitrary<Deed> = fc.record({
  do: fc.constant("caching" as const),
  kinds: fc.constantFrom(
    ["post", "note", "topic", "author", "all", "home", "content", "redirect", "sitemap"],
    ["note", "topic", "author", "all", "home"],
    ["post", "redirect"],
  ),
  caching: fc.constantFrom<Caching>(
    { maxAge: 60, staleWhileRevalidate: 30 },
    { maxAge: 3 },
    { staleWhileRevalidate: 20 },
    { maxAge: 3600 },
    {},
  ),
});

const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("rows" as const),
      changes: fc.array(change, { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("delete most" as const), but: fc.nat(5) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("delete author" as const),
      author: fc.constantFrom("ann", "bob"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("rename author" as const),
      from: fc.constantFrom("ann", "bob", "cy"),
      to: fc.constantFrom("ann", "bob", "cy"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("rename posts" as const),
      of: fc.integer({ min: 1, max: 4 }),
      slug: fc.constantFrom("r", "s"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("status" as const),
      of: fc.integer({ min: 1, max: 4 }),
      status: fc.constantFrom("draft", "published"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("cluster" as const),
      from: fc.integer({ min: 8, max: 20 }),
      posts: fc.integer({ min: 2, max: 5 }),
      topic: fc.constantFrom("x", "new", "bob"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("look" as const), look: fc.nat(3) }) },
  { weight: 1, arbitrary: caching },
);

const run: fc.Arbitrary<Run> = fc.record({
  is: fc.oneof(
    { weight: 5, arbitrary: fc.constant("build" as const) },
    { weight: 2, arbitrary: fc.constant("rebuild" as const) },
    { weight: 2, arbitrary: fc.constant("rollback" as const) },
  ),
  ago: fc.nat(4),
  killedAt: fc.option(fc.integer({ min: 1, max: 120 }), { nil: undefined, freq: 4 }),
});

/** Of what others change, that which does not make a template or asset without its counterpart. */
const file = fileChange.filter(({ file: name }) => name !== "assets/mark.svg");

const moment: fc.Arbitrary<Moment> = fc.record({
  deeds: fc.array(deed, { minLength: 1, maxLength: 3 }),
  files: fc.array(file, { maxLength: 1 }),
  run,
  seconds: fc.constantFrom(0, 1, 10, 40, 100, 100, 1000, 4000, 90_000, 1_000_000),
});

/** Histories of up to so many moments. */
export function histories(moments: number): fc.Arbitrary<History> {
  return fc.record({
    posts: fc.array(postChange, { minLength: 8, maxLength: 8 }),
    caching: fc.oneof(caching, fc.constant<Deed>({ do: "rows", changes: [] })),
    moments: fc.array(moment, { minLength: 2, maxLength: moments }),
    hasTags: fc.boolean(),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
  });
}
