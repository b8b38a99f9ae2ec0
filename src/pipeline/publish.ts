import type { Former, LivePage, Retired, Turnover } from "../ledger/ledger.ts";
import { ASSET_KIND } from "../plan/kinds.ts";
import { putCause } from "../plan/put-cause.ts";
import { encodeTrace } from "../plan/trace.ts";
import { putAll } from "../publish/put-all.ts";
import { putExpecting } from "../publish/put-expecting.ts";
import { isSamePage, type Phase, pageName, redirectKind, type Step } from "../site.ts";
import { adoptedAt, claimOf } from "./adopted.ts";
import { isIntended, withoutBarred } from "./allowed.ts";
import { doubt, retiring } from "./doubt.ts";
import { expectations } from "./expectations.ts";
import { keepBodies } from "./kept.ts";
import { lateUntil } from "./late-until.ts";
import type { Made } from "./make.ts";
import { readerChanges } from "./readers.ts";
import type { Run } from "./run.ts";
import { taggedAs } from "./tagged.ts";

/** Pages rendered and put between two ledger commits: what is in memory, and what a crash repeats. */
const BATCH = 200;

/**
 * Renders and puts the steps of one phase; returns when all of them are confirmed.
 * @param isNow leaves other steps of the phase for a later call
 */
export async function publishPhase(
  run: Run,
  phase: Phase,
  isNow: (step: Step) => boolean = () => true,
): Promise<void> {
  let after: Step | undefined;
  for (;;) {
    const at = after === undefined ? {} : { after };
    const query = { phase, ...at, limit: BATCH };
    const steps = await run.wired.ledger.staged(run.context.run, query);
    if (steps.length === 0) return;
    const isAll = steps.length < BATCH;
    if (after === undefined) {
      run.progress.begin(phase, isAll ? steps.length : await countSteps(run, phase));
    }
    await run.goOn();
    // Others may have published some of these just now.
    const left = steps.filter((step) => isNow(step) && run.overtakes?.isOld(step) !== true);
    await publishSteps(run, left);
    if (isAll) return;
    after = steps.at(-1);
  }
}

/** How many steps of a phase are left. */
export async function countSteps({ wired, context }: Run, phase: Phase): Promise<number> {
  const counts = await wired.ledger.stagedCounts(context.run);
  return counts.filter((each) => each.phase === phase).reduce((sum, { count }) => sum + count, 0);
}

/** Steps whose page failed leave the plan: the last good version stays, a new page does not appear. */
export async function leaveOut(run: Run, failed: readonly Step[]): Promise<void> {
  if (failed.length === 0) return;
  await run.wired.ledger.unstage(run.context.run, failed);
  run.tally.miss(failed.filter(({ action, from }) => action === "create" || from !== undefined));
}

/** Makes one kind after the other and puts all at once: a small phase of many kinds is one commit. */
export async function publishSteps(run: Run, steps: readonly Step[]): Promise<void> {
  if (steps.length === 0) return;
  const made: Made[] = [];
  for (const [kind, own] of Map.groupBy(steps, (step) => step.kind)) {
    made.push(...(await makeSteps(run, kind, own)));
  }
  const puts = await publishMade(run, made);
  run.progress.add(steps.length - puts);
}

/** Makes steps of one kind; those that fail leave the plan before others are made that link there. */
async function makeSteps(run: Run, kind: string, steps: readonly Step[]): Promise<readonly Made[]> {
  const made = await run.make(run, kind, steps);
  await run.options.plan?.expect(made);
  countMade(run, { steps, made });
  const good = new Set(made.map(({ step }) => step));
  await leaveOut(
    run,
    steps.filter((step) => !good.has(step)),
  );
  return made;
}

/** Puts what is not live yet of these artifacts and makes all of them live; gives how many were put. */
export async function publishMade(run: Run, made: readonly Made[]): Promise<number> {
  const { ledger } = run.wired;
  const live = await ledger.pages(made.map(({ step }) => step));
  const adopted = await adoptedAt(
    run,
    made.map(({ step }) => step.route),
  );
  const claims = made.map((each, at) => claimOf(each, live[at], adopted));
  const isChanged = made.map(
    ({ step, artifact }, at) => claims[at] === undefined && !isLive(live[at], step, artifact.hash),
  );
  await keepBodies(
    run,
    live.filter((_, at) => isChanged[at]),
  );
  const puts = await put(
    run,
    made.filter((_, at) => isChanged[at]),
  );
  const same = made.flatMap((each, at) => {
    const [page, claim] = [live[at], claims[at]];
    if (claim !== undefined) return [{ ...toLive(run, each), etag: claim.etag }];
    return isChanged[at] || page === undefined ? [] : [{ ...toLive(run, each), ...keep(page) }];
  });
  const pages = [...same, ...puts.map(({ page }) => page)];
  const retired = await leftBy(run, puts);
  const old = new Map(live.flatMap((page) => (page === undefined ? [] : [[pageName(page), page]])));
  const before = pages.map((page) => old.get(pageName(page)));
  run.tally.settle(pages);
  run.tally.touchFeeds(pages.filter((page, at) => isListedAnew(before[at], page)));
  const moved = turnover(run, before, pages);
  const late = lateUntil(run);
  const { cdn } = run.wired;
  const claimed = made.filter((_, at) => claims[at] !== undefined);
  const tagged = [...claimed, ...puts.map((each) => each.made)].map((each) => taggedAs(each, cdn));
  await ledger.confirm(run.context.run, pages, {
    tagged: cdn.hasTags ? tagged : [],
    retired,
    ...moved,
    ...(late !== undefined && { lateUntil: late }),
    ...readerChanges(before, pages),
  });
  return puts.length;
}

/** The objects that pages left, as they are known now: a put may have made unknown what they are. */
async function leftBy(run: Run, puts: readonly Put[]): Promise<readonly Retired[]> {
  const movers = puts.flatMap(({ page: { kind, key }, from }) =>
    from === undefined ? [] : [{ kind, key, route: from }],
  );
  const live = await run.wired.ledger.pages(movers);
  return movers.map((left, at) => retiring(run, left, live[at]));
}

/**
 * What pages do to the route history; nothing in a site without redirects. Pages of rows leave their
 * routes to it, and every page that is no redirect takes its own from it.
 */
function turnover(
  { wired }: Run,
  before: readonly (LivePage | undefined)[],
  pages: readonly LivePage[],
): { readonly turnover?: Turnover } {
  const { kinds } = wired.site;
  const redirects = redirectKind(kinds)?.name;
  if (redirects === undefined) return {};
  const ofRows = new Set(kinds.flatMap(({ is, name }) => (is === "row" ? [name] : [])));
  const newcomers = pages.filter(
    ({ kind, route }, at) => kind !== redirects && before[at]?.route !== route,
  );
  const left = before.flatMap((old, at): readonly Former[] => {
    if (old === undefined || !ofRows.has(old.kind) || old.route === pages[at]?.route) return [];
    return [{ kind: old.kind, key: old.key, route: old.route }];
  });
  return { turnover: { left, taken: newcomers.map(({ route }) => route), redirects } };
}

interface Put {
  readonly made: Made;
  readonly page: LivePage;
  /** Route that the page left. */
  readonly from: string | undefined;
}

/** Puts what changed, with its intents before; gives the pages that arrived. */
async function put(run: Run, wanted: readonly Made[]): Promise<readonly Put[]> {
  const { allowed: made, barred } = await withoutBarred(run, wanted);
  await leaveOut(run, barred);
  if (made.length === 0) return [];
  const { store, slots } = run.wired;
  const take = run.rebuilt === undefined ? slots.builds : slots.editors;
  const steps = made.map(({ step }) => step);
  const expecting = await expectations(run, steps);
  // A page may be taken down at any moment.
  if (!(await isIntended(run, () => intend(run, made)))) return await put(run, made);
  const copies = new Map(made.map(({ artifact, copyOf }) => [artifact, copyOf]));
  const results = await putAll(
    {
      async put(artifact) {
        const copyOf = copies.get(artifact);
        return await putExpecting(store, artifact, { ...expecting(artifact), copyOf });
      },
    },
    made.map(({ artifact }) => artifact),
    { take, rest: slots.rest, onPut: () => run.progress.add(1) },
  );
  const refused: Step[] = [];
  const arrived = made.flatMap((each, at): Put[] => {
    const result = results[at];
    if (result === undefined) return [];
    if ("error" in result) {
      // Pages name assets without asking whether they exist, so none may be put without them.
      if (each.step.kind === ASSET_KIND) throw result.error;
      run.tally.fail({ page: each.step, error: result.error });
      refused.push(each.step);
      return [];
    }
    run.tally.addSteps([each.step], "changed");
    run.tally.add(each.step.kind, "bytes", bytesOf(each));
    const page = { ...toLive(run, each), etag: result.etag };
    return [{ made: each, page, from: each.step.from }];
  });
  await leaveOut(run, refused);
  await doubt(run, refused);
  return arrived;
}

/**
 * Records the puts that are about to happen with the invalidations they will need. A page that has
 * one of the routes now and gives it up in this run no longer knows what is there.
 */
async function intend(run: Run, made: readonly Made[]): Promise<void> {
  const { ledger, cdn } = run.wired;
  const steps = made.map(({ step }) => step);
  const owners = await ledger.liveAt(steps.map(({ route }) => route));
  const displaced = steps.flatMap(({ kind, key, route }) => {
    const owner = owners.get(route);
    if (owner === undefined || isSamePage(owner, { kind, key })) return [];
    return [{ ...owner, route, start: undefined, reason: "route" }];
  });
  if (displaced.length > 0) {
    await keepBodies(run, await ledger.pages(displaced));
    await ledger.doubt(run.context.run, displaced, run.release);
  }
  const cached = made.map((each) => ({ ...taggedAs(each, cdn), route: each.step.route }));
  await ledger.intend(run.context.run, steps, cdn.isCaching ? cached : []);
}

function countMade(
  { tally, wired }: Run,
  { steps, made }: { readonly steps: readonly Step[]; readonly made: readonly Made[] },
): void {
  tally.addSteps(steps, "candidates");
  tally.addSteps(
    made.map(({ step }) => step),
    "rendered",
  );
  if (wired.site.bodyLinks !== "unlink") return;
  tally.unlinked += made.reduce((sum, { broken }) => sum + broken, 0);
}

function bytesOf({ artifact, bytes }: Made): number {
  return bytes ?? artifact.body.length;
}

function toLive({ release }: Run, made: Made): LivePage {
  const { step, artifact, trace, lastmod } = made;
  const { kind, key, route, start } = step;
  const { hash } = artifact;
  const bytes = bytesOf(made);
  return {
    kind,
    key,
    route,
    start,
    hash,
    etag: undefined,
    bytes,
    trace: encodeTrace(trace),
    lastmod,
    release,
    cause: putCause(step, trace.reads),
  };
}

/** What stays of a live page that was rendered to the same bytes and headers. */
function keep({
  etag,
  release,
  cause = 0,
}: LivePage): Pick<LivePage, "etag" | "release" | "cause"> {
  return { etag, release, cause };
}

/** True when the very same bytes and headers are live at the step's route. */
export function isLive(live: LivePage | undefined, step: Step, hash: Buffer): boolean {
  return live?.hash !== undefined && live.route === step.route && hash.equals(live.hash);
}

/** True when the page stands in sitemaps otherwise than before. */
export function isListedAnew(
  before: LivePage | undefined,
  page: Pick<LivePage, "route" | "lastmod">,
): boolean {
  return before?.route !== page.route || before.lastmod !== page.lastmod;
}
