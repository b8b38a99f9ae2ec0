import type { ChangedObject, LiveCounts, lookups } from "../../src/invalidate/changed.ts";
import { foldersOf } from "../../src/invalidate/changed.ts";
import type { Cover } from "../../src/invalidate/cover.ts";

/** A live object and its tags, its own first. */
export interface Live {
  readonly route: string;
  readonly tags: readonly string[];
}

type Asked = ReturnType<typeof lookups>;

/** Article `n` by an author. */
export function article(n: number, author = "ann"): Live {
  return { route: `/articles/${n}/`, tags: [`article-${n}`, "article", `author-${author}`] };
}

/** So many articles, from `from` on. */
export function articles(count: number, author = "ann", from = 0): readonly Live[] {
  return Array.from({ length: count }, (_, at) => article(from + at, author));
}

/** The change of an object whose tags stay. */
export function edited({ route, tags }: Live): ChangedObject {
  return { route, before: tags, after: tags };
}

/** Answers what was asked of what is live. */
export function countsOf(live: readonly Live[], asked: Asked): LiveCounts {
  const tagged = counted(live.map(({ tags }) => [...new Set(tags)]));
  const below = counted(live.map(({ route }) => foldersOf(route)));
  return {
    live: live.length,
    tagged: new Map(asked.tags.map((tag) => [tag, tagged.get(tag) ?? 0])),
    below: new Map(asked.folders.map((folder) => [folder, below.get(folder) ?? 0])),
  };
}

export function itemsOf({ waves }: Cover): readonly string[] {
  return waves.flat();
}

function counted(lists: readonly (readonly string[])[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const each of lists.flat()) counts.set(each, (counts.get(each) ?? 0) + 1);
  return counts;
}
