import type { Random } from "../services/random.ts";

/** Points of each scenario by its name, in the order of an undisturbed run: `ledger.intend before`. */
export type Points = ReadonlyMap<string, readonly string[]>;

/** Scenarios in which CI kills at an effect that more of them have. */
const EACH = 2;

/**
 * Places among the points of each scenario: every effect is chosen in some scenarios, or in all where
 * it is rare, before or after one of the times that it happens.
 */
export function someOf(points: Points, random: Random): ReadonlyMap<string, readonly number[]> {
  const chosen = new Map([...points.keys()].map((name): [string, number[]] => [name, []]));
  const places = [...points].flatMap(([name, all]) =>
    all.map((point, at) => ({ name, at, effect: point.split(" ")[0] })),
  );
  for (const own of Map.groupBy(places, ({ effect }) => effect).values()) {
    const scenarios = shuffled([...Map.groupBy(own, ({ name }) => name).values()], random);
    for (const each of scenarios.slice(0, EACH)) {
      const [{ name, at }] = shuffled(each, random) as [(typeof each)[0]];
      chosen.get(name)?.push(at);
    }
  }
  return chosen;
}

/** Every so many of all places, from a random one on. */
export function everyNth(
  points: Points,
  stride: number,
  random: Random,
): ReadonlyMap<string, readonly number[]> {
  return new Map(
    [...points].map(([name, all]) => {
      const first = Math.floor(random() * stride);
      return [name, [...all.keys()].filter((at) => at % stride === first)];
    }),
  );
}

function shuffled<T>(all: readonly T[], random: Random): readonly T[] {
  const keyed = all.map((each) => ({ each, order: random() }));
  return keyed.sort((a, b) => a.order - b.order).map(({ each }) => each);
}
