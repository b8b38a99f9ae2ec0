import type { Cover } from "./cover.ts";

/** What is told of a cover and kept with its batches: all but the items, which may be many. */
export interface CoverReport extends Omit<Cover, "waves"> {
  readonly waves: number;
  /** How many items evict several objects; `groups` are the largest of them. */
  readonly groupCount: number;
}

/** Groups that are told; the rest is counted. */
const MOST = 50;

/** What to tell people of a cover. */
export function reportOf({ waves, groups, ...told }: Cover): CoverReport {
  const most = groups.slice(0, MOST);
  return { ...told, waves: waves.length, groups: most, groupCount: groups.length };
}
