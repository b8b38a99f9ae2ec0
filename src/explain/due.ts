import type { RowMark } from "../ledger/ledger.ts";
import { usesOf } from "../plan/basis.ts";
import { BATCH, type PlanContext } from "../plan/context.ts";
import { partName } from "../plan/read-names.ts";
import { existenceColumns, foundRow } from "../plan/row-pages.ts";
import { knownImage, type TableUse } from "../plan/row-state.ts";
import {
  decodeKey,
  type Instant,
  isUnder,
  isVisible,
  keyName,
  listsOf,
  type Row,
} from "../site.ts";

/** A row at a moment at which the clock changes who may see it. */
export interface Due {
  /** µs */
  readonly at: Instant;
  /** The moment is over; the next build or rebuild does it. */
  readonly isOver: boolean;
  readonly table: string;
  /** `keyName`'s form. */
  readonly key: string;
  readonly pages: readonly DuePage[];
  /** Lists and partitions that it enters or leaves: `article_tags_by_tag/scaling`. */
  readonly lists: readonly string[];
}

/** What becomes of a row's own page. */
export interface DuePage {
  readonly kind: string;
  /** Undefined when no route can be made of the row. */
  readonly route: string | undefined;
  readonly becomes: "appears" | "goes" | "stays taken down";
}

/** The rows due until `until`, by moment. The ledger's one ordered table of moments is all it walks. */
export async function* dueNext(
  context: PlanContext,
  { until, limit }: { readonly until: Instant; readonly limit: number },
): AsyncGenerator<Due> {
  const uses = new Map(usesOf(context).map((use) => [use.table.name, use]));
  let after: RowMark | undefined;
  for (let left = limit; left > 0; ) {
    const size = Math.min(left, BATCH);
    const marks = await context.ledger.dueRows(until, after, size);
    for (const mark of marks) {
      const use = uses.get(mark.table);
      if (use !== undefined) yield await describe(mark, use, context);
    }
    if (marks.length < size) return;
    left -= marks.length;
    after = marks.at(-1);
  }
}

async function describe(mark: RowMark, use: TableUse, context: PlanContext): Promise<Due> {
  const { dueAt: at, table, key } = mark;
  const [known] = await context.ledger.knownOf(table, [key]);
  const row = known && knownImage(use, known);
  return {
    at,
    isOver: at <= context.now,
    table,
    key: keyName(decodeKey(key)),
    pages: row === undefined ? [] : await duePages(mark, row, use, context),
    lists: row === undefined ? [] : dueLists(mark, row, use, context),
  };
}

async function duePages(
  { dueAt: at, key }: RowMark,
  image: Row,
  { table }: TableUse,
  context: PlanContext,
): Promise<readonly DuePage[]> {
  const { site, ledger, rows } = context;
  const pages: DuePage[] = [];
  for (const kind of site.kinds) {
    if (kind.is !== "row" || kind.table !== table) continue;
    const isShown = isVisible(kind.visible, image, at);
    if (isShown === isVisible(kind.visible, image, at - 1)) continue;
    const bar = context.bars.barred.find((each) => isUnder({ kind: kind.name, key }, each));
    const becomes = bar !== undefined ? "stays taken down" : isShown ? "appears" : "goes";
    const [live] = await ledger.pages([{ kind: kind.name, key }]);
    const [row] = await rows.rows(table, { see: existenceColumns(kind), keys: [decodeKey(key)] });
    const found = row === undefined ? undefined : foundRow(kind, row, at)[0];
    const route = found?.error === undefined ? found?.route : undefined;
    pages.push({ kind: kind.name, route: live?.route ?? bar?.route ?? route, becomes });
  }
  return pages;
}

function dueLists(
  { dueAt: at }: RowMark,
  image: Row,
  { table }: TableUse,
  { site }: PlanContext,
): readonly string[] {
  return listsOf(site.kinds)
    .filter((list) => list.table === table)
    .filter(({ visible }) => isVisible(visible, image, at) !== isVisible(visible, image, at - 1))
    .map(({ name, by }) => (by === undefined ? name : `${name}/${partName(image[by])}`));
}
