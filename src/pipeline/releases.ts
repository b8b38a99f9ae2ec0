import { PipelineError } from "../error.ts";
import type { Past, Release } from "../ledger/ledger.ts";
import type { Instant } from "../site.ts";
import type { Begun } from "./begin.ts";
import { holdOf } from "./hold.ts";
import { keptName } from "./kept.ts";
import { changesSince } from "./past-state.ts";
import type { Wired } from "./run.ts";

/** The ledger's note of the first release whose pages can be told. */
const SINCE = "kept_since";

/** A release, as `nightbake releases` lists it. */
export interface ReleaseLine {
  readonly release: number;
  readonly startedAt: Instant;
  readonly finishedAt: Instant | undefined;
  readonly run: "build" | "rebuild" | "rollback" | "takedown" | "import";
  readonly created: number;
  readonly changed: number;
  readonly deleted: number;
  readonly failed: number;
  /** The release that a rollback went back to. */
  readonly rollback: number | undefined;
  /** The site is held as of this release. */
  readonly isHeld: boolean;
  readonly isRestorable: boolean;
  /** Why it cannot be restored as a whole. */
  readonly why: string | undefined;
}

type Opened = Pick<Wired, "ledger" | "store" | "kept">;

/** The last `limit` releases, newest first, and which of them can be restored. */
export async function releasesOf(opened: Opened, limit: number): Promise<readonly ReleaseLine[]> {
  const { ledger } = opened;
  const [releases, notes] = await Promise.all([ledger.releases(limit), ledger.notes()]);
  const from = Math.max(sinceOf(notes), releases.at(-1)?.id ?? 0);
  const gaps = await gapsSince(opened, from);
  const held = holdOf(notes)?.release;
  return releases.map((release) => {
    const why =
      release.id < sinceOf(notes)
        ? "what its pages were is not kept any more"
        : gapText(gaps, release.id);
    return {
      ...lineOf(release),
      isHeld: held === release.id,
      isRestorable: why === undefined,
      why,
    };
  });
}

/**
 * Refuses a release that is not there, or whose pages cannot be told any more.
 * @throws PipelineError `config_invalid`, `release_lost`
 */
export function checkTold(release: number, { notes, last }: Pick<Begun, "notes" | "last">): void {
  const [from, to] = [sinceOf(notes), last.release];
  if (release >= from && release <= to) return;
  const range = from > to ? "There is none yet." : `There are ${from} to ${to}.`;
  if (release > to || release < 1) {
    throw new PipelineError("config_invalid", `There is no release ${release}.`, { hint: range });
  }
  const message = `What the pages of release ${release} were is not kept any more, or never was.`;
  throw new PipelineError("release_lost", message, { hint: range });
}

function sinceOf(notes: ReadonlyMap<string, string>): number {
  return Number(notes.get(SINCE) ?? 1);
}

/** Releases from one on to before another of which a page cannot be had again. */
interface Gap {
  readonly from: number;
  readonly until: number;
  readonly isUnknown: boolean;
}

/** What versions a store still has, only a look at each page tells: `rollback --dry-run`. */
async function gapsSince({ ledger, store, kept }: Opened, since: number): Promise<readonly Gap[]> {
  const hasVersions = await store.keepsVersions();
  const gaps = new Map<string, Gap>();
  for await (const changed of changesSince(ledger, since)) {
    const pasts = changed.flatMap((each) => each.pasts);
    const names = pasts.map((past) => keptName(past.until, past));
    const isKept = hasVersions ? [] : ((await kept?.has(names)) ?? []);
    for (const [at, past] of pasts.entries()) {
      const isUnknown = past.hash === undefined;
      if (!isUnknown && (hasVersions || isKept[at] === true)) continue;
      gaps.set(nameOf(past), { from: past.release, until: past.until, isUnknown });
    }
  }
  return [...gaps.values()];
}

/** Gaps are as many as there are pairs of releases, not pages. */
function nameOf({ release, until, hash }: Past): string {
  return `${release} ${until} ${hash === undefined}`;
}

function gapText(gaps: readonly Gap[], release: number): string | undefined {
  const own = gaps.filter(({ from, until }) => from <= release && release < until);
  if (own.length === 0) return undefined;
  const since = Math.min(...own.map(({ until }) => until));
  return own.every(({ isUnknown }) => isUnknown)
    ? `a run was cut off, or the store was another, before release ${since}`
    : `pages that release ${since} replaced or deleted were not kept`;
}

/** Members of a report that say what a release did; those of older ones lack some. */
interface Report {
  readonly changed?: number;
  readonly deleted?: number;
  readonly failed?: number;
  readonly creates?: number;
  readonly rollback?: number;
  readonly takedown?: unknown;
  readonly imported?: number;
  readonly kinds?: readonly { readonly live?: number }[];
  readonly causes?: readonly { readonly cause: string; readonly changed: number }[];
}

function lineOf({ id, startedAt, finishedAt, report }: Release) {
  const told = JSON.parse(report ?? "{}") as Report;
  const { changed = told.imported ?? 0, deleted = 0, failed = 0, causes = [] } = told;
  const absent = causes.filter(({ cause }) => cause === "absent");
  const created = told.creates ?? absent.reduce((sum, each) => sum + each.changed, 0);
  return {
    release: id,
    ...{ startedAt, finishedAt, failed, deleted, created },
    changed: changed - created,
    run: runOf(told),
    rollback: told.rollback,
  };
}

function runOf({ rollback, takedown, imported, kinds = [] }: Report): ReleaseLine["run"] {
  if (rollback !== undefined) return "rollback";
  if (takedown !== undefined) return "takedown";
  if (imported !== undefined) return "import";
  return kinds.some(({ live }) => live === undefined) ? "rebuild" : "build";
}
