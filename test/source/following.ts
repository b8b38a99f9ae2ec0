import type { AnyTable } from "../../src/site.ts";
import { type BinlogFeedOptions, openBinlogFeed } from "../../src/source/binlog-feed.ts";
import type { Change, Feed, Followed, Transaction } from "../../src/source/feed.ts";
import type { Position } from "../../src/source/position.ts";
import { BRAND } from "../services/brand.ts";

/** Follows tables with all their columns. */
export function feedOf(
  url: string,
  tables: readonly AnyTable[],
  options: Partial<BinlogFeedOptions> = {},
): Feed {
  const followed = tables.map((table): Followed => ({ table, see: Object.keys(table.columns) }));
  return openBinlogFeed({ url, followed, silenceMs: 2_000, ...options });
}

/** The transactions of a database from one position up to where its log is now. */
export async function toldSince(feed: Feed, after: Position): Promise<readonly Transaction[]> {
  return await toldUpTo(feed, after, await feed.position());
}

/** Those up to a position; the server may be shared, so the log may be beyond it. */
async function toldUpTo(
  feed: Feed,
  after: Position,
  until: Position,
): Promise<readonly Transaction[]> {
  const told: Transaction[] = [];
  if (sequence(after) >= sequence(until)) return told;
  for await (const transaction of feed.follow(after, AbortSignal.timeout(20_000))) {
    told.push(transaction);
    if (sequence(transaction.position) >= sequence(until)) return told;
  }
  throw new Error(`Not told up to ${until}: ${told.at(-1)?.position}.`);
}

/** Of no server that a test starts. */
export const FOREIGN =
  BRAND.flavour === "mariadb" ? "mariadb:7-1-1" : "mysql:3e11fa47-71ca-11e1-9e33-c80aa9429562:1";

/** A position that a server will not come to. */
export function beyond(position: Position): Position {
  return position.replace(/\d+$/, "99999999");
}

/** `mariadb:0-1-17` is 17, `mysql:UUID:1-17` too. */
export function sequence(position: Position): number {
  return Number(position.split("-").at(-1));
}

/** `posts/1 ok>ok`, or `posts/* TRUNCATE TABLE posts`. */
export function named(transactions: readonly Transaction[]): readonly string[] {
  return transactions.flatMap(({ changes }) => changes.map(nameOf));
}

function nameOf(change: Change): string {
  if (change.is === "rescan") {
    const { table, range, why } = change;
    return `${table.name}/${range === undefined ? "*" : `${range.from}..${range.to}`} ${why}`;
  }
  const { table, key, before, after } = change;
  const is = (image: typeof before) =>
    image === undefined ? "" : image.error === undefined ? JSON.stringify(image.row) : "bad";
  return `${table.name}/${key} ${is(before)}>${is(after)}`;
}

/** A table of `seq` from 1 on. */
export function numbers(count: number): string {
  if (BRAND.flavour === "mariadb") return `seq_1_to_${count}`;
  const zeros = `CONCAT('[0', REPEAT(',0', ${count - 1}), ']')`;
  return `JSON_TABLE(${zeros}, '$[*]' COLUMNS (seq FOR ORDINALITY)) AS numbers`;
}
