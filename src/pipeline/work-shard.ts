import { PipelineError } from "../error.ts";
import { isShardLost, type ShardLease, type TakenShard } from "../ledger/ledger.ts";
import type { PageId, Step } from "../site.ts";
import { interrupted } from "./begin.ts";
import { openProgress } from "./progress.ts";
import { publishSteps } from "./publish.ts";
import type { Run } from "./run.ts";
import { type ShardClaim, shardClaim } from "./shard-claim.ts";
import { encodeReport } from "./shard-report.ts";
import { openTally, type Tally } from "./tally.ts";
import { outlast, withinClaim } from "./within-claim.ts";

/** Pages between two ledger commits, as `publishPhase` does it. */
const BATCH = 200;

export interface ShardOptions {
  readonly leaseMs: number;
  /** The rows are others than those that the run was planned with. */
  readonly isAhead: boolean;
}

/**
 * Makes and puts the pages of a shard, then sets its mark. Whoever had it before may have done a
 * part: that has left the plan. False when another has it by now, who does the rest.
 * @throws PipelineError of what keeps this process from it; then others may take it
 */
export async function workShard(
  run: Run,
  taken: TakenShard & ShardLease,
  { leaseMs, isAhead }: ShardOptions,
): Promise<boolean> {
  const { ledger } = run.wired;
  const claim = shardClaim(ledger, taken, leaseMs);
  const tally = openTally(() => {});
  const notes: string[] = [];
  try {
    const member = memberOf(run, { taken, claim, tally, notes });
    await publishRange(member, taken, isAhead);
    await outlast(run.wired, claim.lateMs(), member.options);
    await ledger.finishShard(taken, encodeReport(tally, notes));
    return true;
  } catch (error) {
    // While the store may yet do what it was asked, nobody else is to put these pages.
    if (claim.lateMs() === 0) await handBack(run, taken);
    if (isShardLost(error)) return false;
    throw error;
  } finally {
    await claim.end();
  }
}

async function handBack({ wired }: Run, taken: TakenShard): Promise<void> {
  await wired.ledger.leaveShard(taken).catch((error: unknown) => {
    // Then its lease ends by itself.
    if (!(error instanceof PipelineError)) throw error;
  });
}

async function publishRange(run: Run, shard: TakenShard, isAhead: boolean): Promise<void> {
  const { phase, kind, upTo } = shard;
  const { ledger } = run.wired;
  let after = shard.after;
  for (;;) {
    const at: { after?: PageId } = after === undefined ? {} : { after: { kind, key: after } };
    const found = await ledger.staged(run.context.run, { phase, kind, ...at, limit: BATCH });
    const steps = found.filter(({ key }) => Buffer.compare(key, upTo) <= 0);
    if (steps.length > 0) await publishBatch(run, steps, isAhead);
    if (steps.length < BATCH) return;
    after = steps.at(-1)?.key;
  }
}

async function publishBatch(run: Run, steps: readonly Step[], isAhead: boolean): Promise<void> {
  await run.goOn();
  // Before any page is made: a process may die at any moment.
  if (isAhead) await run.wired.ledger.readAhead(run.context.run, steps);
  await publishSteps(run, steps);
}

/** The same run for one shard: it writes as who has the shard, and tells what it does to the shard's tally. */
function memberOf(
  run: Run,
  own: {
    readonly taken: TakenShard;
    readonly claim: ShardClaim;
    readonly tally: Tally;
    readonly notes: string[];
  },
): Run {
  const { taken, claim, tally, notes } = own;
  const emit: Run["options"]["emit"] = (event) => {
    if (event.event === "note") notes.push(event.message);
    else if (event.event === "warning") run.options.emit(event);
  };
  const options = { ...run.options, emit };
  const ledger = run.wired.ledger.within(taken);
  return {
    ...run,
    options,
    wired: withinClaim({ ...run.wired, ledger }, claim, options),
    context: {
      ...run.context,
      ledger,
      isShared: true,
      onFailure: (failure) => tally.fail(failure),
      hasFailed: (page) => tally.hasFailed(page),
      onTouched: () => {},
      onSame: (kind, cause, pages) => tally.addCaused({ kind, cause }, "candidates", pages),
    },
    tally,
    progress: openProgress(() => {}),
    claim: claim.keep,
    hasClaimed: () => true,
    async goOn() {
      if (run.options.signal.aborted) throw interrupted();
      await claim.stay();
    },
  };
}
