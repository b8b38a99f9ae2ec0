/**
 * One change of what stands at a route. A route may come several times: a page that was made twice
 * before its invalidation was sent leaves copies of both at the edge.
 */
export interface ChangedObject {
  readonly route: string;
  /**
   * Tags of the copies that are old now, as `pageTags` gives them: the page's own first. Undefined
   * when nothing was live there, so that no copy exists; empty when nobody knows its tags.
   */
  readonly before: readonly string[] | undefined;
  /** Tags of what is live there now; undefined when it goes. */
  readonly after: readonly string[] | undefined;
}

/** How many live objects there are, as the ledger has it after the change. */
export interface LiveCounts {
  readonly live: number;
  /**
   * By tag; 0 where nobody carries it now. One that is not in the map is not known, and not used
   * unless it is a changed page's own.
   */
  readonly tagged: ReadonlyMap<string, number>;
  /** By folder with both slashes, `/articles/`: objects whose route begins so. One that is not in the map is not used, but for `/`. */
  readonly below: ReadonlyMap<string, number>;
}

/** What is at a route now, and the tags that every old copy of it carries. */
export interface Outdated {
  readonly route: string;
  /** Undefined when the edge has no old copy. */
  readonly tags: readonly string[] | undefined;
  readonly after: readonly string[] | undefined;
}

/** Tags of one object that CloudFront looks at (invalidation by tags, maximum per cached object). */
const MAX_TAGS = 50;

/**
 * Brings together the changes of each route, in the order of their first.
 *
 * A tag evicts an old copy only if that copy carries it. So what counts is the tags that all of
 * them have in common; a tag that is new with this change is on no old copy.
 */
export function mergeChanges(changed: Iterable<ChangedObject>): readonly Outdated[] {
  const merged = new Map<string, Outdated>();
  for (const { route, before, after } of changed) {
    const tags = inCommon(merged.get(route)?.tags, seenTags(before));
    merged.set(route, { route, tags, after: seenTags(after) });
  }
  return [...merged.values()];
}

/** Folders that hold a route, the widest first: of `/a/b/` they are `/`, `/a/` and itself. */
export function foldersOf(route: string): readonly string[] {
  const folders = ["/"];
  for (let at = route.indexOf("/", 1); at !== -1; at = route.indexOf("/", at + 1)) {
    // The route itself, not a copy: it need not be hashed again.
    folders.push(at === route.length - 1 ? route : route.slice(0, at + 1));
  }
  return folders;
}

/**
 * What to count before these changes are covered: what several share, and own tags of objects that
 * go, which are on one live page if theirs has moved and else on none. More cannot save an item.
 */
export function lookups(changed: Iterable<ChangedObject>): {
  readonly tags: readonly string[];
  readonly folders: readonly string[];
} {
  const [tags, folders] = [new Map<string, number>(), new Map<string, number>()];
  const gone: string[] = [];
  for (const { route, tags: old, after } of mergeChanges(changed)) {
    if (old === undefined) continue;
    // Nearly all own tags are that: on no other object.
    for (const tag of old) if (tag !== after?.[0]) add(tags, tag);
    for (const folder of foldersOf(route)) add(folders, folder);
    if (after === undefined && old[0] !== undefined) gone.push(old[0]);
  }
  return { tags: [...new Set([...repeated(tags), ...gone])], folders: repeated(folders) };
}

function seenTags(tags: readonly string[] | undefined): readonly string[] | undefined {
  return tags !== undefined && tags.length > MAX_TAGS ? tags.slice(0, MAX_TAGS) : tags;
}

function inCommon(
  some: readonly string[] | undefined,
  others: readonly string[] | undefined,
): readonly string[] | undefined {
  if (some === undefined || others === undefined) return some ?? others;
  return some.filter((tag) => others.includes(tag));
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function repeated(counts: ReadonlyMap<string, number>): readonly string[] {
  return [...counts].flatMap(([name, count]) => (count > 1 ? [name] : []));
}
