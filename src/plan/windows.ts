import type { AnyList, Cut, Key, KeyPart, Unit } from "../site.ts";
import type { Window } from "../source/source.ts";

/** One page of a list: the head, or a part of the archive. */
export interface ListWindow {
  /** Partition value; undefined for a list without partitions. */
  readonly part: KeyPart | undefined;
  /** Undefined for the head page. */
  readonly archive: ArchiveWindow | undefined;
}

export interface ArchiveWindow {
  /** What the URL calls it: `2024`, `2024/2`, `2024-05-03`, or a number for `appendOnly`. */
  readonly name: string;
  /** `2024`; undefined for `appendOnly`. */
  readonly bucket: string | undefined;
  /** Part of the bucket (or of the stream), from 1, counted from the oldest entry. */
  readonly n: number;
}

/** A window found while walking a list, with the place of its first entry (archive only). */
export interface FoundWindow extends ListWindow {
  readonly start: Key | undefined;
}

/** The key of a window's page within its kind; the head sorts before its archive. */
export function windowKey({ part, archive }: ListWindow): Key {
  const prefix = part === undefined ? [] : [part];
  if (archive === undefined) return prefix;
  const { bucket, n } = archive;
  return bucket === undefined ? [...prefix, n] : [...prefix, bucket, n];
}

/** The window that a page's key names: the inverse of {@link windowKey}. */
export function windowOf(list: AnyList, key: Key): ListWindow {
  const [part, rest] = list.by === undefined ? [undefined, key] : [key[0], key.slice(1)];
  if (rest.length === 0) return { part, archive: undefined };
  const n = Number(rest.at(-1));
  const bucket = list.cut.by === "calendar" ? String(rest[0]) : undefined;
  return { part, archive: { name: windowName(bucket, n), bucket, n } };
}

/**
 * Cuts a list into windows while its places go by in (partition, order) order. A partition that
 * fits on its head page has no archive, so archive windows are held back until it does not.
 */
export function windowCutter(list: Pick<AnyList, "by" | "cut" | "head" | "order">) {
  let part: unknown;
  let count = 0;
  let bucket: string | undefined;
  let n = 0;
  let inWindow = 0;
  let held: FoundWindow[] = [];

  /** Takes the next place, whose part is null in a list that is one; gives the windows that are certain now, in key order. */
  return function next(place: { readonly part: unknown; readonly order: Key }): FoundWindow[] {
    const found: FoundWindow[] = [];
    const own = list.by === undefined ? undefined : (place.part as KeyPart);
    if (part !== place.part) {
      part = place.part;
      [count, n, inWindow, bucket, held] = [0, 0, 0, undefined, []];
      found.push({ part: own, archive: undefined, start: undefined });
    }
    count += 1;
    const now = bucketOf(list.cut, place.order[0]);
    if (now !== bucket || inWindow === list.cut.max || n === 0) {
      n = now === bucket ? n + 1 : 1;
      [bucket, inWindow] = [now, 0];
      held.push({
        part: own,
        archive: { name: windowName(now, n), bucket: now, n },
        start: place.order,
      });
    }
    inWindow += 1;
    return count > list.head ? [...found, ...held.splice(0)] : found;
  };
}

/** The bucket an instant falls into, e.g. `2024-05`; undefined for `appendOnly`. */
export function bucketOf(cut: Cut, at: unknown): string | undefined {
  if (cut.by === "appendOnly") return undefined;
  return new Date(Math.floor(Number(at) / 1000)).toISOString().slice(0, UNIT_CHARS[cut.unit]);
}

/** Before what the entries of a bucket end; nothing for `appendOnly`. */
export function bucketBound(cut: Cut, bucket: string | undefined): Pick<Window, "to"> {
  if (cut.by === "appendOnly" || bucket === undefined) return {};
  return { to: { order: [bucketEnd(cut.unit, bucket)], isInclusive: false } };
}

/** The first instant (µs) after a bucket. */
export function bucketEnd(unit: Unit, bucket: string): number {
  const [year = 0, month = 1, day = 1] = bucket.split("-").map(Number);
  const step = { year: [1, 0, 0], month: [0, 1, 0], day: [0, 0, 1] }[unit];
  const [y = 0, m = 0, d = 0] = step;
  return Date.UTC(year + y, month - 1 + m, day + d) * 1000;
}

const UNIT_CHARS = { year: 4, month: 7, day: 10 } as const;

/** What a URL calls an archive window. */
export function windowName(bucket: string | undefined, n: number): string {
  if (bucket === undefined) return String(n);
  return n === 1 ? bucket : `${bucket}/${n}`;
}
