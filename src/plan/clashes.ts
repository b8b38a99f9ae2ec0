import { PipelineError } from "../error.ts";
import {
  decodeKey,
  foldRoute,
  isSamePage,
  keyName,
  type PageId,
  redirectKind,
  type Step,
} from "../site.ts";
import { BATCH, type PlanContext } from "./context.ts";
import { stays } from "./planned.ts";

/**
 * Takes steps out of the plan whose route another page has or wants: who is live stays, the
 * others are reported with both rows. Where the store ignores case, routes that differ only
 * in case are one. Gives the steps that were taken out.
 */
export async function planClashes(
  context: PlanContext,
  options: { readonly foldsCase: boolean },
): Promise<readonly Step[]> {
  const out = [...(await amongSteps(context, options.foldsCase))];
  for (;;) {
    // A page that may not move keeps its route, which another may have counted on.
    const more = await withLive(context, options.foldsCase);
    if (more.length === 0) return out;
    out.push(...more);
  }
}

async function amongSteps(context: PlanContext, foldsCase: boolean): Promise<readonly Step[]> {
  const { ledger, run } = context;
  const out: Step[] = [];
  const folded = await ledger.stagedClashes(run, Number.MAX_SAFE_INTEGER);
  const isPage = isNoRedirect(context);
  const groups = foldsCase ? folded : folded.flatMap(byRoute);
  for (const steps of groups) {
    const group = steps.filter(isPage).filter(isNewcomer);
    if (group.length < 2) continue;
    for (const step of group) {
      const other = group.find((each) => each !== step);
      if (other !== undefined) context.onFailure({ page: step, error: clash(step, other) });
    }
    await ledger.unstage(run, group);
    out.push(...group);
  }
  return out;
}

/** The steps that were taken out. */
async function withLive(context: PlanContext, foldsCase: boolean): Promise<readonly Step[]> {
  const { ledger, run } = context;
  let after: Step | undefined;
  const out: Step[] = [];
  for (;;) {
    const at = after === undefined ? {} : { after };
    const steps = await ledger.staged(run, { ...at, limit: BATCH });
    out.push(...(await unstageTaken(context, steps.filter(isNewcomer), foldsCase)));
    if (steps.length < BATCH) return out;
    after = steps.at(-1);
  }
}

/** A live page keeps its route unless this plan deletes or moves it. The steps that were taken out. */
async function unstageTaken(
  context: PlanContext,
  steps: readonly Step[],
  foldsCase: boolean,
): Promise<readonly Step[]> {
  const { ledger, run } = context;
  if (steps.length === 0) return [];
  const out: Step[] = [];
  const isPage = isNoRedirect(context);
  const folded = await ledger.liveFolded(steps.map(({ route }) => route));
  const live = folded.filter(isPage);
  const ownSteps = await ledger.stepsOf(run, live);
  const staying = live.filter((page, at) => stays(page, ownSteps[at]));
  const taken = new Map(staying.map((page) => [name(page.route, foldsCase), page]));
  for (const step of steps.filter(isPage)) {
    const owner = taken.get(name(step.route, foldsCase));
    if (owner === undefined || isSamePage(owner, step)) continue;
    context.onFailure({ page: step, error: clash(step, owner) });
    await ledger.unstage(run, [step]);
    out.push(step);
  }
  return out;
}

/** A page that is not where it wants to be yet; one that is updated in place has its route. */
function isNewcomer({ action, from }: Step): boolean {
  return action === "create" || from !== undefined;
}

/** A redirect has a route only while nobody else wants it, so it clashes with none. */
function isNoRedirect({ site }: PlanContext): (page: PageId) => boolean {
  const name = redirectKind(site.kinds)?.name;
  return ({ kind }) => kind !== name;
}

function byRoute(group: readonly Step[]): readonly (readonly Step[])[] {
  return [...Map.groupBy(group, ({ route }) => route).values()];
}

function name(route: string, foldsCase: boolean): string {
  return foldsCase ? foldRoute(route) : route;
}

function clash(page: Step, other: PageId & { readonly route: string }): PipelineError {
  const both = [page, other].map(({ kind, key }) => `${kind}/${keyName(decodeKey(key))}`);
  const routes =
    page.route === other.route ? "" : ` (as ${other.route}, which this store cannot tell apart)`;
  const message = `${both[0]} cannot have the route ${page.route}: ${both[1]} has or wants it too${routes}.`;
  return new PipelineError("route_taken", message, {
    hint: "Change the value that the route is made of in one of the two rows.",
    at: { kind: page.kind, key: keyName(decodeKey(page.key)), route: page.route },
  });
}
