import type { AnyList } from "./list.ts";
import type { Kind, RedirectKind } from "./page.ts";
import type { AnyRead } from "./read.ts";
import type { AnyTable } from "./table.ts";

/** What a kind declares to read; nothing for kinds that declare none. */
export function readsOf(kind: Kind): readonly AnyRead[] {
  return "reads" in kind ? Object.values(kind.reads) : [];
}

/** Every table that the kinds read, once, in the order of the definition. */
export const tablesOf = remembering((kinds): readonly AnyTable[] => {
  const tables = kinds.flatMap((kind) => {
    const read = readsOf(kind).map((each) => (each.read === "one" ? each.table : each.list.table));
    const own = kind.is === "row" ? [kind.table] : ownList(kind).map((list) => list.table);
    return [...own, ...read];
  });
  return [...new Set(tables)];
});

/** Every list that the kinds read, once, in the order of the definition. */
export const listsOf = remembering((kinds): readonly AnyList[] => {
  const lists = kinds.flatMap((kind) => {
    const read = readsOf(kind).flatMap((each) => (each.read === "one" ? [] : [each.list]));
    return [...ownList(kind), ...read];
  });
  return [...new Set(lists)];
});

/** A definition does not change, and every run asks it dozens of times. */
function remembering<T>(ask: (kinds: readonly Kind[]) => T): (kinds: readonly Kind[]) => T {
  const answers = new WeakMap<readonly Kind[], T>();
  return (kinds) => {
    const answer = answers.get(kinds) ?? ask(kinds);
    answers.set(kinds, answer);
    return answer;
  };
}

/** The kind of a site's redirect pages, if it has them. */
export function redirectKind(kinds: readonly Kind[]): RedirectKind | undefined {
  return kinds.find((kind) => kind.is === "redirect");
}

function ownList(kind: Kind): readonly AnyList[] {
  if (kind.is === "list") return [kind.list];
  return kind.is === "redirect" && kind.list !== undefined ? [kind.list] : [];
}
