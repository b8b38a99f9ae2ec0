import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import type { Artifact, Caching } from "../../src/site.ts";
import type { RowsFile } from "../history/rows-file.ts";
import type { SmallSite } from "../pipeline/small-site.ts";
import { type Counts, type Crawler, crawler } from "./crawler.ts";
import { type Dice, dice } from "./dice.ts";
import { type Edges, edges } from "./edges.ts";
import type { History } from "./moments.ts";

/** One history under way. */
export interface Life {
  readonly site: SmallSite;
  readonly rows: RowsFile;
  /** Rows that changed since they were last read. */
  readonly untold: Set<string>;
  readonly objects: Map<string, Artifact>;
  readonly store: ObjectStore;
  readonly edges: Edges;
  readonly dice: Dice;
  readonly crawlers: readonly Crawler[];
  readonly leaving: Set<string>;
  readonly counts: Counts;
  readonly problems: string[];
  readonly caching: Map<string, Caching>;
  readonly releases: number[];
  /** Browsers were told that they may show pages without asking. */
  mayKeep: boolean;
  /** For complaints. */
  doing: string;
  runs: number;
  killed: number;
  deleted: number;
}

/** Opens the parts of a history: a crawler at every edge, and one more at the first. */
export function openLife(site: SmallSite, rows: RowsFile, { seed, hasTags }: History): Life {
  const objects = new Map<string, Artifact>();
  const own = dice(seed);
  const cdn = edges(objects, own, hasTags);
  const counts: Counts = {
    views: 0,
    clicks: 0,
    assets: 0,
    afterwards: 0,
    missingPages: 0,
    missingAssets: 0,
    mixes: 0,
  };
  const leaving = new Set<string>();
  const problems: string[] = [];
  const life: Life = {
    ...{
      site,
      rows,
      untold: new Set(),
      objects,
      store: memoryStore(objects, new Map()),
      edges: cdn,
      dice: own,
    },
    ...{ leaving, counts, problems, caching: new Map(), releases: [] },
    ...{ mayKeep: false, doing: "", runs: 0, killed: 0, deleted: 0 },
    crawlers: Array.from({ length: cdn.count + 1 }, (_, at) =>
      crawler({ objects, edges: cdn, leaving, counts, complain }, at % cdn.count),
    ),
  };
  function complain(about: string) {
    if (problems.length < 9) problems.push(`${about} (run ${life.runs}, ${life.doing})`);
  }
  return life;
}
