import { PipelineError } from "../error.ts";
import { usesOf } from "../plan/basis.ts";
import { BATCH, type PlanContext } from "../plan/context.ts";
import { planBuild } from "../plan/plan.ts";
import type { TableUse } from "../plan/row-state.ts";
import { parseTargets } from "../plan/targets.ts";
import { type Price, priceOf } from "../price.ts";
import { address, type Key, keyName, pageName, type Step } from "../site.ts";
import { type Imagined, imaginedRows } from "./imagined.ts";

/** What a change of a row would do, before anybody makes it. */
export interface Affects {
  /** `users/ann` */
  readonly row: string;
  readonly exists: boolean;
  /** The columns imagined to be edited. */
  readonly columns: readonly string[];
  /** Columns asked for that no page declares: they change nothing. */
  readonly ignored: readonly string[];
  /** If those columns held something else; undefined when no page declares any of them. */
  readonly edited: Reach | undefined;
  /** If the row went, or moved in lists, or were hidden; undefined when no column asked for does that. */
  readonly gone: Reach | undefined;
}

/** The pages that something would touch, by route within kinds, and what that costs. Sitemaps are not counted. */
export interface Reach {
  readonly pages: readonly Pick<Step, "kind" | "route" | "action" | "reason">[];
  readonly price: Price;
}

/**
 * Plans as if a row were otherwise, and gives what that adds to the plan of the row as it is. It
 * costs what a rebuild of the row would plan; nothing is rendered or written.
 * @throws PipelineError `input_invalid` when the site has no such row
 */
export async function affects(
  context: PlanContext,
  target: string,
  { columns, isCaching }: { readonly columns: readonly string[]; readonly isCaching: boolean },
): Promise<Affects> {
  const { use, key } = rowOf(target, context);
  const asked =
    columns.length > 0 ? columns : use.see.filter((name) => !use.table.key.includes(name));
  const [found] = await context.rows.rows(use.table, { see: use.see, keys: [key] });
  const declared = asked.filter((column) => use.see.includes(column));
  // The others say in which lists it is, where, and who may see it.
  const edited = declared.filter((column) => !use.deps.includes(column));
  const base = { table: use.table, key, row: found?.row ?? found?.rest, now: context.now };
  const reach = (own: Imagined) => reachOf(own, context, isCaching);
  return {
    row: `${use.table.name}/${keyName(key)}`,
    exists: found !== undefined,
    columns: declared,
    ignored: asked.filter((column) => !use.see.includes(column)),
    edited: edited.length === 0 ? undefined : await reach({ ...base, edited }),
    gone:
      found === undefined || edited.length === declared.length
        ? undefined
        : await reach({ ...base, edited: undefined }),
  };
}

async function reachOf(
  imagined: Imagined,
  context: PlanContext,
  isCaching: boolean,
): Promise<Reach> {
  const { table, key } = imagined;
  const target = `${table.name}:${keyText(key)}`;
  const as = await planned(context, target, "as");
  const otherwise = { ...context, rows: imaginedRows(context.rows, imagined) };
  const steps = (await planned(otherwise, target, "otherwise")).filter(
    (step) => as.find((each) => pageName(each) === pageName(step))?.reason !== step.reason,
  );
  const replaced = steps.flatMap(({ action, route, from }) =>
    action === "create" ? [] : [from ?? route],
  );
  const items = replaced.flatMap((route) => address(route).invalidations);
  const puts = steps.filter(({ action }) => action !== "delete").length;
  return {
    pages: steps.map(({ kind, route, action, reason }) => ({ kind, route, action, reason })),
    price: priceOf({ puts, items: isCaching ? items.length : 0 }),
  };
}

/** The steps of a rebuild of one row, in a plan of their own that is forgotten at once. */
async function planned(
  context: PlanContext,
  target: string,
  name: string,
): Promise<readonly Step[]> {
  const run = `${context.run} ${name}`;
  const own = { ...context, run, isStoreTrusted: true };
  const options = { only: undefined, targets: [target], isVerify: false, foldsCase: false };
  const steps: Step[] = [];
  try {
    await planBuild(own, { ...options, onPages: () => {} });
    let after: Step | undefined;
    do {
      const batch = await context.ledger.staged(run, { ...(after && { after }), limit: BATCH });
      steps.push(...batch);
      after = batch.length < BATCH ? undefined : batch.at(-1);
    } while (after !== undefined);
  } finally {
    await context.ledger.discard(run);
  }
  return steps;
}

/** `users/ann` is `users:ann` here, as people read it in a reason. */
function rowOf(text: string, context: PlanContext): { readonly use: TableUse; readonly key: Key } {
  const target = text.includes(":") ? text : text.replace("/", ":");
  const [parsed] = parseTargets([target], context.site);
  const use = usesOf(context).find(({ table }) => parsed?.is === "row" && table === parsed.table);
  if (parsed?.is === "row" && use !== undefined) return { use, key: parsed.key };
  throw new PipelineError("input_invalid", `${text} is no row.`, {
    hint: "Write TABLE/KEY or KIND:KEY, e.g. users/ann or article:42.",
  });
}

function keyText(key: Key): string {
  return key.join(",");
}
