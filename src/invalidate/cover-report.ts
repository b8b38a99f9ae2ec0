import type { Cover } from "./cover.ts";

/** What is told of a cover and kept with its batches: all but the items, which may be many. */
export interface CoverReport extends Omit<Cover, "waves"> {
  readonly waves: number;
  /** How many items evict several objects; `groups` are the largest of them. */
  readonly groupCount: number;
  /** Changed routes that readers are asked for before the run is done, if any are. */
  readonly probes: readonly string[];
}

/** Groups that are told; the rest is counted. */
const MOST = 50;

/** What to tell people of a cover. */
export function reportOf(cover: Cover, probes: readonly string[] = []): CoverReport {
  const { waves, groups, ...told } = cover;
  const most = groups.slice(0, MOST);
  return { ...told, waves: waves.length, groups: most, groupCount: groups.length, probes };
}

/** Reads what {@link reportOf} gave, from JSON. */
export function readReport(text: string): CoverReport {
  return JSON.parse(text) as CoverReport;
}
