import { address, encodeRoute, isFolderRoute } from "../site.ts";
import { foldersOf, type LiveCounts, type Outdated } from "./changed.ts";

/** One item that evicts several objects. */
export interface Group {
  /** `#author-0a1b…` or `/articles/*`. */
  readonly item: string;
  readonly isWildcard: boolean;
  /** Places in the list of old objects. */
  readonly members: readonly number[];
  /** Items that its members need one by one. */
  readonly alone: number;
  /** Unchanged live objects that it evicts, too. */
  readonly evicted: number;
}

/** An object with old copies. */
export interface Old extends Outdated {
  readonly tags: readonly string[];
  /** A tag that evicts it and nothing that did not change; undefined when paths must do. */
  readonly own: string | undefined;
  /** How many items it needs by itself, and how many without tags. */
  readonly alone: number;
  readonly paths: number;
}

/** Objects with old copies, and what evicts several of them. */
export interface Choices {
  readonly objects: readonly Old[];
  readonly groups: readonly Group[];
}

interface Draft {
  readonly item: string;
  readonly isWildcard: boolean;
  readonly live: number;
  readonly members: number[];
  alone: number;
  /** Changed objects that it evicts as they are now. */
  changed: number;
}

/** Finds what may evict the old copies, by tags only where the distribution knows them. */
export function choices(
  merged: readonly Outdated[],
  counts: LiveCounts,
  useTags: boolean,
): Choices {
  const objects = oldObjects(merged, useTags);
  const tags = new Map<string, Draft>();
  if (useTags) for (const [tag, live] of counts.tagged) tags.set(tag, draft(`#${tag}`, live));
  const folders = new Map([["/", draft("/*", counts.below.get("/") ?? counts.live)]]);
  for (const [folder, live] of counts.below) {
    if (folder !== "/") folders.set(folder, draft(`${encodeRoute(folder)}*`, live));
  }
  for (const [at, { route, tags: own, alone }] of objects.entries()) {
    const join = (each: Draft | undefined) => {
      each?.members.push(at);
      if (each !== undefined) each.alone += alone;
    };
    for (const tag of own) join(tags.get(tag));
    for (const folder of foldersOf(route)) join(folders.get(folder));
  }
  const stay = (each: Draft | undefined) => {
    if (each !== undefined) each.changed += 1;
  };
  for (const { route, after } of merged) {
    if (after === undefined) continue;
    for (const tag of after) stay(tags.get(tag));
    for (const folder of foldersOf(route)) stay(folders.get(folder));
  }
  const drafts = [...tags.values(), ...folders.values()];
  return { objects, groups: drafts.filter(({ members }) => members.length > 0).map(finished) };
}

/** The items that evict one object and nothing that did not change. */
export function itemsAlone({ route, own }: Old): readonly string[] {
  return own === undefined ? address(route).invalidations : [`#${own}`];
}

/**
 * A page's own tag is on that page alone, so where a changed object carries it now, nothing
 * unchanged goes with it. A page that went may live on at another route, with the same tag.
 */
function oldObjects(merged: readonly Outdated[], useTags: boolean): readonly Old[] {
  const ownTags = new Set<string>();
  for (const { after } of merged) if (after?.[0] !== undefined) ownTags.add(after[0]);
  const objects: Old[] = [];
  for (const { route, tags, after } of merged) {
    if (tags === undefined) continue;
    const paths = isFolderRoute(route) ? 2 : 1;
    // A path is as cheap as a tag where there is one, and surer.
    const own = useTags && paths > 1 ? tags.find((tag) => ownTags.has(tag)) : undefined;
    objects.push({ route, tags, after, own, alone: own === undefined ? paths : 1, paths });
  }
  return objects;
}

function draft(item: string, live: number): Draft {
  return { item, isWildcard: item.startsWith("/"), live, members: [], alone: 0, changed: 0 };
}

function finished({ item, isWildcard, live, members, alone, changed }: Draft): Group {
  return { item, isWildcard, members, alone, evicted: Math.max(0, live - changed) };
}
