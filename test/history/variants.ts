import type { AnyList, AnyRead, Kind, Site } from "../../src/site.ts";

/** Sizes of what lists show and how they are cut. */
export interface Windows {
  readonly head: number;
  readonly max: number;
  /** Of the neighbours that a page shows. */
  readonly near: number;
}

/** A site whose lists have other windows: a definition is data. */
export function withWindows(site: Site, { head, max, near }: Windows): Site {
  const known = new Map<AnyList, AnyList>();
  const listOf = (list: AnyList): AnyList => {
    const changed = known.get(list) ?? { ...list, head, cut: { ...list.cut, max } };
    known.set(list, changed);
    return changed;
  };
  const readOf = (read: AnyRead): AnyRead => {
    if (read.read === "around") {
      return { ...read, list: listOf(read.list), before: near, after: near };
    }
    return read.read === "newest" ? { ...read, list: listOf(read.list) } : read;
  };
  return {
    ...site,
    kinds: site.kinds.map((kind): Kind => {
      if (kind.is === "list") {
        return { ...kind, list: listOf(kind.list), reads: mapped(kind.reads, readOf) };
      }
      return "reads" in kind ? { ...kind, reads: mapped(kind.reads, readOf) } : kind;
    }),
  };
}

function mapped<T>(all: Readonly<Record<string, T>>, map: (one: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(all).map(([name, each]) => [name, map(each)]));
}
