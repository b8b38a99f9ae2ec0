import { PipelineError, type Problem } from "../error.ts";
import { didYouMean } from "../nearest.ts";
import { parseTargets } from "../plan/targets.ts";
import type { Site } from "../site.ts";
import { parsePosition } from "../source/flavour.ts";

/** What somebody asks to be rebuilt, as text. */
export interface Names {
  readonly targets: readonly string[];
  readonly kinds?: readonly string[];
  /** Positions of the database. */
  readonly at?: readonly string[];
}

/**
 * Looks at names before a run does, so that whoever asks is told at once. Whether there are such rows
 * and pages is not looked at.
 * @throws PipelineError `input_invalid`
 */
export function checkNames({ targets, kinds = [], at = [] }: Names, site: Site): void {
  parseTargets(targets, site);
  for (const each of at) parsePosition(each);
  const known = site.kinds.map(({ name }) => name);
  const problems: readonly Problem[] = kinds
    .filter((each) => !known.includes(each))
    .map((place) => ({ place, message: `There is no such kind.${didYouMean(place, known)}` }));
  if (problems.length === 0) return;
  throw new PipelineError("input_invalid", "Some kinds are none of the site's.", {
    hint: `Its kinds are ${known.join(", ")}.`,
    problems,
  });
}
