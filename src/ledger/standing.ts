import { type PageId, pageName } from "../site.ts";
import { recountFolders } from "./folders.ts";
import type { LivePage, Tagged } from "./ledger.ts";
import { atFolds, queryLive } from "./live.ts";
import { nameOf, numbersOf } from "./names.ts";
import { packCopy, UNKNOWN } from "./packed-tags.ts";
import { asBytes, asText, decodeId, encodePage, orUndefined, PAGE } from "./rows.ts";
import { BY_INDEX, replaceRows, type SqlRow, type Work } from "./sql.ts";
import { packTags, recountTags } from "./tags.ts";

/** A live page as the CDN knows it. */
export interface Standing extends PageId {
  readonly route: string;
  /** Number of its kind. */
  readonly number: number;
  /** Packed numbers of its tags beside its own; null when nobody knows them. */
  readonly tags: Uint8Array | null;
}

const STANDING = `kind AS number, ${nameOf("kind")} AS kind, page_key, route, tags`;

/** Live pages by id, those that are there. */
export function* standing(ids: readonly PageId[]): Work<readonly Standing[]> {
  return (yield* queryLive(`SELECT ${STANDING} FROM nb_live WHERE`, ids)).map(decode);
}

/** Live pages at these routes; while pages exchange theirs, two may be at one. */
export function* standingAt(
  routes: readonly string[],
): Work<ReadonlyMap<string, readonly Standing[]>> {
  const rows = yield* atFolds(`SELECT ${STANDING} FROM nb_live ${BY_INDEX} WHERE`, routes);
  const wanted = new Set(routes);
  const owners = rows.map(decode).filter(({ route }) => wanted.has(route));
  return Map.groupBy(owners, ({ route }) => route);
}

/** The copy of a page as one column, see {@link packCopy}; of two pages at one route nobody knows which. */
export function copyOf(owners: readonly Standing[], livesOn = false): Buffer {
  const [owner] = owners;
  if (owner === undefined || owners.length > 1) return UNKNOWN;
  return packCopy(owner, { kind: owner.number, tags: owner.tags, livesOn });
}

/** What became live, and what was live of it before; `recount` counts it, for the end of a work. */
export interface Arrived {
  readonly before: readonly Standing[];
  readonly recount: () => Work<void>;
}

/** Makes pages live. */
export function* putLive(
  pages: readonly LivePage[],
  tagged: readonly Tagged[] = [],
): Work<Arrived> {
  if (pages.length === 0) return { before: [], recount: nothing };
  const numbers = yield* numbersOf(pages.map(({ kind }) => kind));
  const before = yield* standing(pages);
  const tags = new Map(before.map((page) => [pageName(page), page.tags]));
  for (const [name, packed] of yield* packTagged(tagged)) tags.set(name, packed);
  const after = pages.map((page) => tags.get(pageName(page)) ?? null);
  const now = pages.map(({ route }, at) => ({ route, tags: after[at] ?? null }));
  const rows = pages.map((page, at) => {
    return [...encodePage(page, numbers.get(page.kind) ?? 0), after[at] ?? null];
  });
  yield* replaceRows("nb_live", [...PAGE, "tags"], rows);
  return { before, recount: () => recount(before, now) };
}

function* nothing(): Work<void> {}

/** Counts of tags and folders after some pages, as they were, have become others. */
export function* recount(
  before: readonly Pick<Standing, "route" | "tags">[],
  after: readonly Pick<Standing, "route" | "tags">[],
): Work<void> {
  const tagsOf = (pages: typeof before) => pages.map(({ tags }) => tags);
  yield* recountTags(tagsOf(before), tagsOf(after));
  const routesOf = (pages: typeof before) => pages.map(({ route }) => route);
  yield* recountFolders(routesOf(before), routesOf(after));
}

/** Nobody knows what is stored, nor its tags: copies of it may be at the edge by now. */
export function* forgetHashes(ids: readonly PageId[]): Work<void> {
  const before = yield* standing(ids);
  yield* recount(
    before,
    before.map(({ route }) => ({ route, tags: null })),
  );
  yield* queryLive("UPDATE nb_live SET hash = NULL, etag = NULL, tags = NULL WHERE", ids);
}

/** Packed numbers of the tags beside the own one, by `pageName`; null where nobody knows them. */
export function* packTagged(
  tagged: readonly Tagged[],
): Work<ReadonlyMap<string, Uint8Array | null>> {
  const known = tagged.filter(({ tags }) => tags.length > 0);
  const packed = yield* packTags(known.map(({ tags }) => tags.slice(1)));
  const found = new Map(known.map((page, at) => [pageName(page), packed[at] ?? null]));
  return new Map(
    tagged.map((page) => [pageName(page), found.get(pageName(page)) ?? null] as const),
  );
}

function decode(row: SqlRow): Standing {
  return {
    ...decodeId(row),
    number: Number(row["number"]),
    route: asText(row["route"]),
    tags: orUndefined(row["tags"], asBytes) ?? null,
  };
}
