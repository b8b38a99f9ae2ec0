import {
  type AnyList,
  decodeKey,
  encodeKey,
  isVisible,
  type Key,
  type PageId,
  type Row,
} from "../site.ts";
import type { Place } from "../source/source.ts";
import { partName, readName } from "./read-names.ts";

/** Places of one partition at which something changed, oldest first, each once. */
export interface TouchedPart {
  readonly list: AnyList;
  /** Undefined for a list without partitions. */
  readonly part: unknown;
  readonly places: readonly Key[];
}

/** Collects where lists changed, and which redirects may have. */
export class Touched {
  readonly #parts = new Map<string, { list: AnyList; part: unknown; places: Map<string, Key> }>();

  readonly #redirects = new Set<string>();
  #isAll = false;

  /** A row as it was or is: it touches its place, if readers could see it there at `now`. */
  image(list: AnyList, row: Row | undefined, now: number | undefined): void {
    if (row === undefined) return;
    if (now !== undefined && !isVisible(list.visible, row, now)) return;
    const part = list.by && row[list.by];
    this.place(list, { part, order: list.order.map((column) => row[column]) });
  }

  place(list: AnyList, { part, order }: Place): void {
    if ((list.by !== undefined && part === null) || order.some((value) => value === null)) return;
    const places = this.part(list, part);
    places.set(encodeKey(order as Key).toString("latin1"), order as Key);
  }

  /** A partition is looked at although no place of it changed; gives its places. */
  part(list: AnyList, part: unknown): Map<string, Key> {
    const own = list.by === undefined ? undefined : part;
    const name = `${list.name}/${partName(own)}`;
    const touched = this.#parts.get(name) ?? { list, part: own, places: new Map() };
    this.#parts.set(name, touched);
    return touched.places;
  }

  redirect(route: string): void {
    this.#redirects.add(route);
  }

  /** Every redirect is looked at. */
  allRedirects(): void {
    this.#isAll = true;
  }

  /** Gives the routes whose redirects were touched and forgets them. */
  takeRedirects(): readonly string[] | "all" {
    const taken = this.#isAll ? "all" : [...this.#redirects];
    this.#redirects.clear();
    this.#isAll = false;
    return taken;
  }

  /** Gives the lists' touched parts and forgets them. */
  take(): readonly TouchedPart[] {
    const parts = [...this.#parts.values()].map(({ list, part, places }) => ({
      list,
      part,
      places: [...places.values()].sort((a, b) => Buffer.compare(encodeKey(a), encodeKey(b))),
    }));
    this.#parts.clear();
    return parts;
  }
}

/** Touched places by names that a ledger can keep among those of pages. */
export function placeIds({ list, part, places }: TouchedPart): readonly PageId[] {
  const prefix = list.by === undefined ? [] : [part];
  return places.map((order) => ({
    kind: placeKind(list),
    key: encodeKey([...prefix, ...order] as Key),
  }));
}

/** The place that {@link placeIds} named; undefined for what is a page, or a place of another list. */
export function placeOf(list: AnyList, { kind, key }: PageId): Place | undefined {
  if (kind !== placeKind(list)) return undefined;
  const [part = null, ...order] =
    list.by === undefined ? [null, ...decodeKey(key)] : decodeKey(key);
  return { part, order };
}

/** No kind of pages has a colon in its name, and a ledger's have an end. */
function placeKind(list: AnyList): string {
  return `list:${readName(list.name).toString("hex")}`;
}
