import type { Checks } from "./checks.ts";
import type { AnyList } from "./list.ts";
import type { Kind } from "./page.ts";

/** A list's order is total, its cut fits its order, its entries lead to a declared kind. */
export function checkList(list: AnyList, kinds: readonly Kind[], checks: Checks): void {
  const { table, by, order, see, links, head } = list;
  const place = `list ${list.name}`;
  if (by !== undefined) checks.keyColumn(`${place}.by`, table, by);
  for (const column of order) checks.keyColumn(`${place}.order`, table, column);
  const missing = table.key.filter((column) => column !== by && !order.includes(column));
  if (missing.length > 0) {
    checks.add(
      `${place}.order`,
      `Ties are not broken: end it with the key (${missing.join(", ")}).`,
    );
  }
  for (const column of see) checks.column(`${place}.see`, table, column);
  for (const [name, link] of Object.entries(links)) {
    for (const column of link.columns) {
      checks.column(`${place}.links.${name}`, table, column, ["text", "int", "oneOf"]);
    }
    if (link.columns.length !== 1) {
      checks.add(`${place}.links.${name}`, "An entry's link has exactly one column in its route.");
    }
  }
  checks.visible(place, table, list.visible);
  if (!Number.isInteger(head) || head < 1) checks.add(`${place}.head`, "It is at least 1.");
  checkCut(list, place, checks);
  checkItem(list, place, kinds, checks);
}

function checkCut({ table, order, cut }: AnyList, place: string, checks: Checks): void {
  if (!Number.isInteger(cut.max) || cut.max < 1)
    checks.add(`${place}.cut.max`, "It is at least 1.");
  if (cut.by !== "calendar") return;
  checks.column(`${place}.cut`, table, cut.column, ["instant"]);
  if (order[0] !== cut.column) {
    checks.add(
      `${place}.cut`,
      `The list is cut by ${cut.column}, so that is its first order column.`,
    );
  }
}

function checkItem(list: AnyList, place: string, kinds: readonly Kind[], checks: Checks): void {
  const { item, table } = list;
  if (item === undefined) return;
  for (const column of item.key) checks.keyColumn(`${place}.item`, table, column);
  const kind = kinds.find(({ name }) => name === item.kind);
  if (kind?.is !== "row") {
    checks.add(`${place}.item`, `There is no kind ${item.kind} with a page for each row.`);
    return;
  }
  const own = item.key.map((column) => table.columns[column]?.type);
  const other = kind.table.key.map((column) => kind.table.columns[column]?.type);
  if (own.join() !== other.join()) {
    checks.add(
      `${place}.item`,
      `The key of ${kind.table.name} is (${other.join(", ")}), this is (${own.join(", ")}).`,
    );
  }
}
