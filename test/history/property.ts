import fc from "fast-check";
import { type Databases, openChecker, type Sums } from "./check.ts";
import { histories } from "./moments.ts";

/** So many random histories of so many moments each. */
export interface Asked {
  readonly histories: number;
  readonly steps: number;
  readonly seed: number;
  /** Pages are taken down and lifted, too. */
  readonly hasTakedowns?: boolean;
}

/**
 * After every run of every history the store is what a build from scratch makes, what was put is
 * what differs, and over all of them hardly a page was rendered that did not change.
 * @throws Error with the smallest history that shows the contrary
 */
export async function checkHistories(
  { histories: runs, steps, seed, hasTakedowns = false }: Asked,
  databases?: Databases,
): Promise<Sums> {
  await using checker = await openChecker(databases);
  const random = histories(steps, { hasTakedowns });
  const property = fc.asyncProperty(random, (history) => checker.check(history));
  await fc.assert(property, { numRuns: runs, seed });
  return checker.sums;
}

/** Pages rendered for each that changed; without any change no page may be rendered. */
export function renderedShare({ rendered, changed }: Pick<Sums, "rendered" | "changed">): number {
  return rendered === 0 ? 0 : rendered / changed;
}
