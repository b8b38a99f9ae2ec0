import { randomUUID } from "node:crypto";
import { PipelineError } from "../error.ts";
import type { Crew } from "../ledger/ledger.ts";
import { barsOf } from "../plan/bars.ts";
import { listsOf, tablesOf } from "../site.ts";
import type { Rows } from "../source/source.ts";
import { type Brief, CREW, type CrewTerms, crewPrint } from "./crew.ts";
import { make } from "./make.ts";
import { openProgress } from "./progress.ts";
import { openRebuilt } from "./rebuilt.ts";
import type { BuildOptions, Run, Wired } from "./run.ts";
import { openTally } from "./tally.ts";
import { workShard } from "./work-shard.ts";

export interface HelpOptions extends Pick<BuildOptions, "signal" | "emit"> {
  readonly terms?: CrewTerms;
  /** Who found no shard for so long goes, and is called when there are more. */
  readonly idleMs?: number;
}

/**
 * Helps the run that publishes now, if it lets others help, until it needs none any more (or for
 * `idleMs`), or the signal comes; a shard that was begun is finished. Gives how many shards it did;
 * undefined when there was no run to help. Any number of processes may do this.
 * @throws PipelineError `release_outdated` when this process would make other pages; what keeps it
 *   from a shard, which others take then
 */
export async function helpOut(wired: Wired, options: HelpOptions): Promise<number | undefined> {
  const { ledger } = wired;
  const crew = await ledger.crew(Date.now());
  if (crew === undefined || options.signal.aborted) return undefined;
  const brief = JSON.parse(crew.brief) as Brief;
  if (brief.print !== crewPrint(wired)) throw outdated();
  const { leaseMs, pollMs } = options.terms ?? CREW;
  await using run = await joinRun(wired, { crew, brief, options });
  let done = 0;
  let idle = 0;
  while (!options.signal.aborted && idle < (options.idleMs ?? Infinity)) {
    const as = { holder: randomUUID(), nowMs: Date.now(), leaseMs };
    const taken = await ledger.takeShard(crew.run, as);
    if (taken !== undefined) {
      idle = 0;
      if (await workShard(run, taken, { leaseMs, isAhead: true })) done += 1;
      continue;
    }
    if ((await ledger.crew(Date.now()))?.run !== crew.run) break;
    await wired.sleep(pollMs);
    idle += pollMs;
  }
  return done;
}

interface Joining {
  readonly crew: Crew;
  readonly brief: Brief;
  readonly options: HelpOptions;
}

/**
 * Another process's run as far as shards need it. Its rows are of a snapshot of their own, which is
 * not before the run's.
 */
async function joinRun(wired: Wired, { crew, brief, options }: Joining): Promise<Run> {
  const { site, source, ledger } = wired;
  await source.check(tablesOf(site.kinds), listsOf(site.kinds));
  const [notes, bars] = await Promise.all([ledger.notes(), ledger.bars()]);
  const rows = await source.read(brief.now, { isPatient: !brief.isRebuild });
  const elapsedMs = () => Math.max(0, Date.now() - brief.beganMs);
  let keepsVersions: Promise<boolean> | undefined;
  return {
    wired,
    // A shard that was begun is finished.
    options: { ...options, signal: new AbortController().signal, ...AS_BUILD },
    context: contextOf(wired, { crew, brief, notes, bars: barsOf(bars), rows }),
    tally: openTally(() => {}),
    make,
    rebuilt: brief.isRebuild ? openRebuilt() : undefined,
    progress: openProgress(() => {}),
    shown: undefined,
    release: brief.release,
    startedAt: brief.now,
    overtakes: undefined,
    claim: async () => {},
    reserve: async () => {},
    pause: async () => {},
    hasClaimed: () => true,
    goOn: async () => {},
    keepsVersions() {
      keepsVersions ??= wired.store.keepsVersions();
      return keepsVersions;
    },
    isFinished: false,
    moment: () => brief.now + elapsedMs() * 1000,
    seconds: () => elapsedMs() / 1000,
    [Symbol.asyncDispose]: () => rows[Symbol.asyncDispose](),
  };
}

const AS_BUILD = { allowDeletes: false, isDryRun: false };

function contextOf(
  { site, ledger, store, assets, content, redirects, fingerprint, making }: Wired,
  {
    crew: { run },
    brief: { now, isStoreTrusted, isCutOff },
    ...read
  }: Pick<Joining, "crew" | "brief"> & Pick<Run["context"], "notes" | "bars"> & { rows: Rows },
): Run["context"] {
  return {
    ...{ site, ledger, assets, content, redirects, fingerprint, making, run, now },
    ...{ ...read, foldsCase: store.foldsCase, isStoreTrusted, isCutOff },
    onFailure: () => {},
    hasFailed: () => false,
    onTouched: () => {},
    onSame: () => {},
  };
}

function outdated(): PipelineError {
  const message = "This process has other code, templates or content than the run that publishes.";
  return new PipelineError("release_outdated", message, {
    hint: "Start it again with what the run was started with; until then it leaves the run alone.",
  });
}
