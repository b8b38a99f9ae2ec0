import type { Cache } from "../cache/cache.ts";
import type { RunEvent } from "../events.ts";
import type { Cdn } from "../invalidate/cdn.ts";
import type { Terms } from "../invalidate/terms.ts";
import type { Viewer } from "../invalidate/viewer.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { ImaginedBar } from "../plan/bars.ts";
import type { PlanContext } from "../plan/context.ts";
import type { NamedRow } from "../plan/targets.ts";
import type { Slots } from "../publish/slots.ts";
import type { ObjectStore } from "../publish/store.ts";
import type { Templates } from "../render/templates.ts";
import type { AssetFile, ContentFile, DeclaredRedirect, Kind, Making, Site } from "../site.ts";
import type { Position, Source } from "../source/source.ts";
import type { CrewTerms } from "./crew.ts";
import type { Log } from "./log.ts";
import type { Maker } from "./make.ts";
import type { OvertakeAsked, Overtaken } from "./overtake.ts";
import type { Overtakes } from "./overtakes.ts";
import type { PlanFile } from "./plan-file.ts";
import type { Progress } from "./progress.ts";
import type { Rebuilt } from "./rebuilt.ts";
import type { Tally } from "./tally.ts";

/** Every part of a pipeline, opened. Closing it closes them all. */
export interface Wired extends AsyncDisposable {
  readonly site: Site;
  readonly source: Source;
  readonly ledger: Ledger;
  readonly store: ObjectStore;
  readonly cdn: Cdn;
  /** What invalidations may cost. */
  readonly terms: Terms;
  /** Where changed pages are looked at before a run is done, and how many of them. */
  readonly probing?: { readonly viewer: Viewer; readonly pages: number } | undefined;
  /** Without it nobody can say what a log tells. */
  readonly log?: Log | undefined;
  readonly templates: Templates;
  /** Where rendered bodies are kept. */
  readonly bodies: Cache;
  /** Where it is kept what pages were, for stores that keep no versions; without it nothing is. */
  readonly kept?: Cache | undefined;
  /** How many releases, and of how many days all, can be told and restored; without it all stay. */
  readonly keep?: { readonly releases: number; readonly days: number };
  /** Digest of all that makes a body beside its source and place. */
  readonly bodyEngine: Uint8Array;
  readonly assets: readonly AssetFile[];
  /** By folder below `content/`. */
  readonly content: ReadonlyMap<string, readonly ContentFile[]>;
  /** What `content/redirects.txt` declares, sorted by the bytes of the routes it leads from. */
  readonly redirects: readonly DeclaredRedirect[];
  /** Digest of all that shapes a kind's pages beside rows. */
  readonly fingerprint: (kind: Kind) => Uint8Array;
  /** The parts of that, see {@link Making}. */
  readonly making: (kind: Kind) => Making;
  /** How other processes may help the runs of this one; without it they do all by themselves. */
  readonly crew?: CrewTerms | undefined;
  /** Share of the live pages that one run may delete. */
  readonly deleteShare: number;
  /** What the runs of this process may do at the store at once. */
  readonly slots: Slots;
  /** Fingerprint of the code that makes pages, see `jobs/code.ts`; without it no code is refused. */
  readonly code?: string | undefined;
  /** A run that stops answering for so long may be replaced; 30 seconds unless it is said. */
  readonly leaseMs?: number | undefined;
  /** Waits so long, between questions to the CDN. */
  readonly sleep: (ms: number) => Promise<void>;
}

export interface BuildOptions {
  /** Considers the pages of one kind only. */
  readonly only?: string | undefined;
  /** Looks at these rows, lists and pages instead of every row: `article:42`, `tag:x`, `/x/`. */
  readonly targets?: readonly string[] | undefined;
  /** Looks at these rows, too, in batches; with `targets` only. */
  readonly changes?: AsyncIterable<readonly NamedRow[]> | undefined;
  /** Looks again at what earlier rebuilds looked at, as builds do: what comes of it and of the build that they overtook. */
  readonly looksAgain?: boolean | undefined;
  /** Pages that runs before it deleted for the same cause; the guard counts them as its own. */
  readonly deletedBefore?: number | undefined;
  /** Commits that the rows must show, by position of the database. */
  readonly at?: readonly Position[] | undefined;
  /** Does exactly this plan, made with the same `only` and `targets`, or nothing. */
  readonly plan?: PlanFile | undefined;
  /** Compares every row, whatever the log tells. */
  readonly isScan?: boolean;
  /** Re-checks every page's trace instead of following the rows that changed: a second opinion. */
  readonly isVerify?: boolean;
  /** Bars that are not in the ledger yet, or otherwise there; of a dry run only. */
  readonly imagined?: readonly ImaginedBar[] | undefined;
  /** It follows a takedown, or the end of one; its release says so. */
  readonly isTakedown?: boolean;
  /** Ends with builds for what changed in the database meanwhile, until there is nothing; of builds of everything. */
  readonly closes?: boolean;
  /** Turns the delete guards off. */
  readonly allowDeletes: boolean;
  /** Plans and tells the steps, changes nothing. */
  readonly isDryRun: boolean;
  /**
   * Called between batches, also while it plans; what it asks of `overtake` is published before the
   * run goes on. The run claims before it plans, then. Not of rebuilds.
   */
  readonly onPause?: ((overtake: Overtake) => Promise<void>) | undefined;
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
  /** µs; for tests. */
  readonly now?: () => number;
}

/** @see overtake */
export type Overtake = (asked: OvertakeAsked) => Promise<Overtaken>;

/** One run under way. Disposing it forgets the plan and gives the claim up. */
export interface Run extends AsyncDisposable {
  readonly wired: Wired;
  readonly options: BuildOptions;
  readonly context: PlanContext;
  readonly tally: Tally;
  readonly make: Maker;
  /** Of a rebuild only. */
  readonly rebuilt: Rebuilt | undefined;
  readonly progress: Progress;
  /** The log was here before the rows were read, and they show it; undefined when nobody asked. */
  readonly shown: Position | undefined;
  /** Number the release will have. */
  readonly release: number;
  /** µs */
  readonly startedAt: number;
  /** Becomes, and stays, the one that publishes. @throws PipelineError `run_conflict` */
  readonly claim: () => Promise<void>;
  /** It has claimed. */
  readonly hasClaimed: () => boolean;
  /** Stays the one that publishes, and lets others pass; throws `interrupted` when the operator stopped the run. */
  readonly goOn: () => Promise<void>;
  /** Claims so that nobody else publishes while it plans; a run that comes no further was not cut off. */
  readonly reserve: () => Promise<void>;
  /** Lets others pass who are in a hurry. */
  readonly pause: () => Promise<void>;
  /** Of a run that others may overtake. */
  readonly overtakes: Overtakes | undefined;
  /** Whether the store keeps what this run replaces and deletes; asked once. */
  readonly keepsVersions: () => Promise<boolean>;
  /** The release is recorded. */
  isFinished: boolean;
  /** `startedAt` and the wall time since, µs. */
  readonly moment: () => number;
  /** Wall time since the run began. */
  readonly seconds: () => number;
}
