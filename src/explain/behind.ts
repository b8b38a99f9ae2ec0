import type { LivePage, SeenRow } from "../ledger/ledger.ts";
import { usesOf } from "../plan/basis.ts";
import { BATCH, type PlanContext } from "../plan/context.ts";
import { partName, routeName } from "../plan/read-names.ts";
import { knownImage, type TableUse } from "../plan/row-state.ts";
import { decodeTrace, usesOf as sharedOf } from "../plan/trace.ts";
import { type AnyList, decodeKey, hexOf, keyName, listsOf, type Row, type Step } from "../site.ts";

/** A row that changed since the last release: `row:users/ann`. */
export interface ChangedRow {
  readonly row: string;
  readonly did: "appear" | "go" | "change" | "become due";
}

/** A page that the plan makes appear, go or move. */
export type TurnedPage = Pick<Step, "kind" | "route" | "action" | "reason">;

/** So many of each are told; more would hide the first. */
const MAX = 10;

/** The changed rows of a plan that a reason comes from: the row itself, or those in the list's partition. */
export async function rowsBehind(
  reason: string,
  context: PlanContext,
): Promise<readonly ChangedRow[]> {
  const list = listOf(reason, context);
  const found: ChangedRow[] = [];
  for await (const { use, row, before } of changedRows(context)) {
    const name = `${row.table}/${keyName(decodeKey(row.key))}`;
    const isOwn =
      /^(row|absent|clock):/.test(reason) && reason.slice(reason.indexOf(":") + 1) === name;
    const images = [before, row.now].map((known) => known && knownImage(use, known));
    const isListed = list !== undefined && use.table === list.table;
    if (!isOwn && !(isListed && images.some((image) => image && isIn(list, image, reason))))
      continue;
    found.push({ row: `row:${name}`, did: whatItDid(before, row) });
    if (found.length === MAX) break;
  }
  return found;
}

/** The pages that a plan turns and that a live page links to or lists. */
export async function pagesBehind(
  page: LivePage,
  { ledger, run }: PlanContext,
): Promise<readonly TurnedPage[]> {
  const shared = sharedOf(decodeTrace(page.trace));
  const isShared = (route: string | undefined) =>
    route !== undefined && shared.has(routeName(route).toString("latin1"));
  const found: TurnedPage[] = [];
  let after: Step | undefined;
  for (;;) {
    const steps = await ledger.staged(run, { ...(after && { after }), limit: BATCH });
    for (const { kind, route, from, action, reason } of steps) {
      const isTurn = action === "create" || action === "delete" || from !== undefined;
      if (!isTurn || !(isShared(route) || isShared(from))) continue;
      found.push({ kind, route, action, reason });
      if (found.length === MAX) return found;
    }
    if (steps.length < BATCH) return found;
    after = steps.at(-1);
  }
}

/** The list that a read is of: `list:posts/#head`, `count:posts_by_topic/x`. */
export function listOf(reason: string, { site }: PlanContext): AnyList | undefined {
  if (!/^(list|count):/.test(reason)) return undefined;
  const rest = reason.slice(reason.indexOf(":") + 1);
  return listsOf(site.kinds).find(({ name }) => rest === name || rest.startsWith(`${name}/`));
}

async function* changedRows(context: PlanContext): AsyncGenerator<{
  readonly use: TableUse;
  readonly row: SeenRow;
  readonly before: SeenRow["now"];
}> {
  const { ledger, run } = context;
  const uses = new Map(usesOf(context).map((use) => [use.table.name, use]));
  let after: SeenRow | undefined;
  for (;;) {
    const rows = await ledger.seen(run, after, BATCH);
    for (const [table, own] of Map.groupBy(rows, (row) => row.table)) {
      const use = uses.get(table);
      const keys = own.map(({ key }) => key);
      const before = await ledger.knownOf(table, keys);
      for (const [at, row] of own.entries()) if (use) yield { use, row, before: before[at] };
    }
    if (rows.length < BATCH) return;
    after = rows.at(-1);
  }
}

function isIn({ name, by }: AnyList, image: Row, reason: string): boolean {
  if (by === undefined) return true;
  const part = reason.slice(reason.indexOf(":") + name.length + 2);
  const own = partName(image[by]);
  return part === own || part.startsWith(`${own}#`) || part.startsWith(`${own}@`);
}

function whatItDid(before: SeenRow["now"], { now }: SeenRow): ChangedRow["did"] {
  if (before === undefined) return "appear";
  if (now === undefined) return "go";
  return hexOf(before.hash) === hexOf(now.hash) ? "become due" : "change";
}
