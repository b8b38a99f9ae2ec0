import type { LivePage } from "../ledger/ledger.ts";
import type { PageId } from "../site.ts";

/**
 * What is wrong: a page's object is `missing`, `altered` (other bytes) or has other `headers`; the
 * CDN serves something else (`stale`) or does not answer (`unreachable`); an object is `foreign`: no
 * page has it or ever had it.
 */
export const FLAWS = ["missing", "altered", "headers", "stale", "unreachable", "foreign"] as const;
export type Flaw = (typeof FLAWS)[number];

/** One object of the store that is not what the ledger says, or does not reach readers. */
export interface Finding {
  readonly flaw: Flaw;
  /** Its name in the store. */
  readonly object: string;
  /** The page whose object it is; undefined of foreign ones. */
  readonly page: FoundPage | undefined;
  /** What was seen, as a phrase: `1,024 bytes, not 1,020`. */
  readonly detail: string;
}

export type FoundPage = PageId & Pick<LivePage, "route" | "start">;

/** What was looked at, and how much of it is wrong. */
export interface Checked {
  /** Objects in the store, without its marker. */
  readonly listed: number;
  /** Live pages. */
  readonly pages: number;
  /** Pages whose bodies and headers were read. */
  readonly read: number;
  /** Of these, those that were fetched through the CDN, too. */
  readonly fetched: number;
  /** Objects that are about to be put or deleted: nothing is wrong with them. */
  readonly waiting: number;
  readonly found: Readonly<Record<Flaw, number>>;
}

/** A live page without what a check does not need; its bytes are copies, so that nothing larger is held. */
export type SlimPage = Omit<LivePage, "trace" | "lastmod" | "release" | "cause">;

export function slim({ kind, key, route, start, hash, etag, bytes }: LivePage): SlimPage {
  const copy = (of: Uint8Array | undefined) => of && Uint8Array.from(of);
  return {
    kind,
    key: Uint8Array.from(key),
    route,
    start: copy(start),
    hash: copy(hash),
    etag,
    bytes,
  };
}
