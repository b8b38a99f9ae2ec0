import type { Rebuild, Work } from "./job.ts";

/** Targets, kinds and positions of one job: beyond them requests make another. */
const MOST_NAMED = 500;

/** One work that does both; undefined when there is none, or it would name too much. */
export function merged(a: Work, b: Work): Work | undefined {
  if (a.is === "rebuild" && b.is === "rebuild") return mergedRebuild(a, b);
  return sameWork(a, b) ? a : undefined;
}

/** Whether two works are the same, in whatever order their members stand. */
function sameWork(a: Work, b: Work): boolean {
  return canonical(a) === canonical(b);
}

/** A text that is equal for equal works. */
export function canonical(work: Work): string {
  const members = Object.entries(work).filter(
    ([, value]) => value !== undefined && value !== false,
  );
  return JSON.stringify(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function mergedRebuild(a: Rebuild, b: Rebuild): Work | undefined {
  const everything = a.everything === true || b.everything === true;
  const kinds = union(a.kinds, b.kinds);
  const at = union(a.at, b.at);
  const targets = union(a.targets, b.targets);
  if (targets.length + kinds.length + at.length > MOST_NAMED) return undefined;
  return {
    is: "rebuild",
    targets,
    ...(kinds.length > 0 && { kinds }),
    ...(everything && { everything }),
    ...((a.looksAgain ?? b.looksAgain) && { looksAgain: true }),
    ...(at.length > 0 && { at }),
  };
}

function union(a: readonly string[] = [], b: readonly string[] = []): readonly string[] {
  return [...new Set([...a, ...b])];
}
