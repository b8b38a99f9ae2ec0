import type { LivePage, Retired } from "../ledger/ledger.ts";
import { ASSET_KIND } from "../plan/kinds.ts";
import { putAll } from "../publish/put-all.ts";
import { address, type Phase, routeOfKey, type Step } from "../site.ts";
import { type Made, make } from "./make.ts";
import type { Run } from "./run.ts";

/** Pages rendered and put between two ledger commits: what is in memory, and what a crash repeats. */
const BATCH = 200;
/** How long a replaced asset stays for pages that readers still have open, µs. */
const ASSET_GRACE = 24 * 3600 * 1_000_000;

/** Renders and puts the steps of one phase; returns when all of them are confirmed. */
export async function publishPhase(run: Run, phase: Phase): Promise<void> {
  const { ledger } = run.wired;
  const total = await countSteps(run, phase);
  if (total === 0) return;
  run.progress.begin(phase, total);
  let after: Step | undefined;
  for (;;) {
    const at = after === undefined ? {} : { after };
    const steps = await ledger.staged(run.context.run, { phase, ...at, limit: BATCH });
    if (steps.length === 0) return;
    await run.goOn();
    for (const [kind, own] of Map.groupBy(steps, (step) => step.kind)) {
      await publishSteps(run, kind, own);
    }
    run.progress.add(steps.length);
    after = steps.at(-1);
  }
}

/** Takes deleted pages off the ledger, then removes every object whose time has come. */
export async function deletePhase(run: Run): Promise<void> {
  const { ledger } = run.wired;
  for (;;) {
    const steps = await ledger.staged(run.context.run, { phase: "deletes", limit: BATCH });
    if (steps.length === 0) break;
    await run.goOn();
    const retired = steps.map(({ kind, route }) => retire(run, kind, route));
    await ledger.retire(run.context.run, steps, retired);
    for (const { kind } of steps) run.tally.add(kind, "deleted");
  }
  await deleteDue(run);
}

async function publishSteps(run: Run, kind: string, steps: readonly Step[]): Promise<void> {
  const { ledger } = run.wired;
  run.tally.add(kind, "candidates", steps.length);
  const made = await make(run, kind, steps);
  await leaveOut(run, steps, made);
  const live = await ledger.pages(made.map(({ step }) => step));
  const isChanged = made.map(({ step, artifact }, at) => !isLive(live[at], step, artifact.hash));
  const changed = made.filter((_, at) => isChanged[at]);
  const puts = await put(run, changed);
  const froms = new Map(changed.map(({ step }) => [step.route, step.from]));
  const same = made.flatMap((each, at) => {
    const page = live[at];
    return isChanged[at] || page === undefined ? [] : [{ ...toLive(run, each), ...keep(page) }];
  });
  const moved = puts.flatMap((page) => froms.get(page.route) ?? []);
  const retired = moved.map((route) => retire(run, kind, route));
  await ledger.confirm(run.context.run, [...same, ...puts], retired);
}

/** Puts what changed, with its intents before; gives the pages that arrived. */
async function put(run: Run, made: readonly Made[]): Promise<readonly LivePage[]> {
  if (made.length === 0) return [];
  const { ledger, store, cdn, concurrency } = run.wired;
  const routes = made.map(({ step }) => step.route);
  const cached = cdn.isCaching ? await ledger.liveAt(routes) : new Map();
  const items = routes
    .filter((route) => cached.has(route))
    .flatMap((r) => address(r).invalidations);
  await ledger.intend(
    made.map(({ step }) => step),
    items,
  );
  const results = await putAll(
    store,
    made.map(({ artifact }) => artifact),
    { concurrency },
  );
  return made.flatMap((each, at) => {
    const result = results[at];
    if (result === undefined) return [];
    if ("error" in result) {
      run.tally.fail({ page: each.step, error: result.error });
      return [];
    }
    run.tally.add(each.step.kind, "changed");
    run.tally.add(each.step.kind, "bytes", each.artifact.body.length);
    return [{ ...toLive(run, each), etag: result.etag }];
  });
}

/** Steps whose page failed leave the plan: the last good version stays, a new page does not appear. */
async function leaveOut(run: Run, steps: readonly Step[], made: readonly Made[]): Promise<void> {
  if (made.length === steps.length) return;
  const good = new Set(made.map(({ step }) => step));
  const failed = steps.filter((step) => !good.has(step));
  run.tally.newFailures += failed.filter(({ action }) => action === "create").length;
  await run.wired.ledger.unstage(run.context.run, failed);
}

async function deleteDue(run: Run): Promise<void> {
  const { ledger, store } = run.wired;
  let after: string | undefined;
  for (;;) {
    const due = await ledger.due(run.startedAt, after, BATCH);
    if (due.length === 0) return;
    await run.goOn();
    const routes = due.map(({ object }) => routeOfKey(object));
    const live = await ledger.liveAt(routes);
    const going = due.filter((_, at) => !live.has(routes[at] ?? ""));
    await store.delete(going.map(({ object }) => object));
    const items = going.flatMap((each) => each.items);
    await ledger.forget(
      going.map(({ object }) => object),
      items,
    );
    await ledger.unretire(due.filter((each) => !going.includes(each)).map(({ object }) => object));
    after = due.at(-1)?.object;
  }
}

function retire({ startedAt, wired }: Run, kind: string, route: string): Retired {
  const { key, invalidations } = address(route);
  // A hashed asset is never asked for again once no page names it, so nothing need be evicted.
  if (kind === ASSET_KIND) return { object: key, dueAt: startedAt + ASSET_GRACE, items: [] };
  return { object: key, dueAt: startedAt, items: wired.cdn.isCaching ? invalidations : [] };
}

function toLive({ release }: Run, { step, artifact, trace, lastmod }: Made): LivePage {
  const { kind, key, route, start } = step;
  const { hash, body } = artifact;
  return {
    kind,
    key,
    route,
    start,
    hash,
    etag: undefined,
    bytes: body.length,
    trace,
    lastmod,
    release,
  };
}

/** What stays of a live page that was rendered to the same bytes and headers. */
function keep({ etag, release }: LivePage): Pick<LivePage, "etag" | "release"> {
  return { etag, release };
}

function isLive(live: LivePage | undefined, step: Step, hash: Buffer): boolean {
  return live?.hash !== undefined && live.route === step.route && hash.equals(live.hash);
}

async function countSteps({ wired, context }: Run, phase: Phase): Promise<number> {
  const counts = await wired.ledger.stagedCounts(context.run);
  return counts.filter((each) => each.phase === phase).reduce((sum, { count }) => sum + count, 0);
}
