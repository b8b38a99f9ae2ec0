import type { AnyList } from "./list.ts";
import type { Kind } from "./page.ts";
import type { AnyTable } from "./table.ts";

/** Every table that the kinds read, once, in the order of the definition. */
export function tablesOf(kinds: readonly Kind[]): readonly AnyTable[] {
  const tables = kinds.flatMap((kind) => {
    const reads = "reads" in kind ? Object.values(kind.reads) : [];
    const read = reads.map((each) => (each.read === "one" ? each.table : each.list.table));
    const own = kind.is === "row" ? [kind.table] : kind.is === "list" ? [kind.list.table] : [];
    return [...own, ...read];
  });
  return [...new Set(tables)];
}

/** Every list that the kinds read, once, in the order of the definition. */
export function listsOf(kinds: readonly Kind[]): readonly AnyList[] {
  const lists = kinds.flatMap((kind) => {
    const reads = "reads" in kind ? Object.values(kind.reads) : [];
    const read = reads.flatMap((each) => (each.read === "one" ? [] : [each.list]));
    return kind.is === "list" ? [kind.list, ...read] : read;
  });
  return [...new Set(lists)];
}
