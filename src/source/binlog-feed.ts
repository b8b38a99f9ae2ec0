import { setTimeout as sleep } from "node:timers/promises";
import { PipelineError } from "../error.ts";
import { mysqlAddress } from "../mysql-address.ts";
import { type FollowedCatalog, readFollowedCatalog } from "./binlog-catalog.ts";
import { type GroupedTransaction, openGroups } from "./binlog-group.ts";
import { transactionQueue } from "./binlog-queue.ts";
import type { BinlogReader } from "./binlog-reader.ts";
import { checkBinlogSettings } from "./binlog-settings.ts";
import type { Feed, Followed } from "./feed.ts";
import { flavourOf } from "./flavour.ts";
import { mysqlPool } from "./mysql-connection.ts";
import { checkPosition, type Position } from "./position.ts";

/** Which log is followed, and how. */
export interface BinlogFeedOptions {
  /** The server, see {@link mysqlAddress}: its user needs REPLICATION SLAVE. */
  readonly url: string;
  /** The same server for a user with SELECT on the tables. Default `url`. */
  readonly readUrl?: string;
  readonly followed: readonly Followed[];
  /** Default 10 s. */
  readonly silenceMs?: number;
  /** Changes that may wait for the consumer. Default 5,000. */
  readonly maxWaiting?: number;
  /** Rows of one table in one transaction; of more only the range of their keys is told. Default 10,000. */
  readonly maxRows?: number;
  /** Told of each outage; the feed goes on by itself. */
  readonly onOutage?: (error: PipelineError) => void;
}

const SILENCE_MS = 10_000;
const MAX_WAITING = 5_000;
const MAX_ROWS = 10_000;
/** The catalog of a large server takes seconds. */
const QUERY_MS = 60_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 15_000;

/**
 * Opens the binlog of a MySQL or MariaDB server as a feed. Connects with the first call.
 * @throws PipelineError `config_invalid` when a URL is malformed
 */
export function openBinlogFeed(options: BinlogFeedOptions): Feed {
  const pool = mysqlPool(options.readUrl ?? options.url, { queryMs: QUERY_MS });
  const connected = async <T>(
    act: (connection: Awaited<ReturnType<typeof pool.connect>>) => Promise<T>,
  ) => {
    const connection = await pool.connect();
    try {
      return await act(connection);
    } finally {
      await connection.release();
    }
  };
  const catalog = () =>
    connected(async (connection) => {
      await checkBinlogSettings(connection);
      return await readFollowedCatalog(connection, options.followed);
    });
  return {
    position: () =>
      connected(async (connection) => {
        await checkBinlogSettings(connection);
        const flavour = await flavourOf(connection);
        return (await flavour.position(connection)) ?? noPosition();
      }),
    follow: (after, signal) => followed(options, catalog, after, signal),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

function noPosition(): never {
  throw new PipelineError(
    "source_rejected",
    "The database's log is empty, so it has no position.",
    {
      hint: "Write something to the database, or follow another server.",
    },
  );
}

/** One connection after another, each from where the one before had come. */
async function* followed(
  options: BinlogFeedOptions,
  catalog: () => Promise<FollowedCatalog>,
  after: Position,
  signal: AbortSignal,
) {
  const flavour = after.startsWith("mysql:") ? "mysql" : "mariadb";
  checkPosition(flavour, after);
  let position = after;
  let outages = 0;
  while (!signal.aborted) {
    try {
      const found = await catalog();
      for await (const { altersTables: _, ...transaction } of connection(
        options,
        found,
        position,
        signal,
      )) {
        outages = 0;
        position = transaction.position;
        yield transaction;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof PipelineError) || !error.retryable) throw error;
      options.onOutage?.(error);
      await sleep(pauseMs(outages), undefined, { signal }).catch(() => undefined);
      outages += 1;
    }
  }
}

/** Grows to {@link LONGEST_PAUSE_MS}, with chance in it so that clones do not come back together. */
function pauseMs(outages: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** outages) * (0.5 + Math.random() / 2);
}

/** Ends after a transaction that altered tables: what comes after it is read with another catalog. */
async function* connection(
  options: BinlogFeedOptions,
  catalog: FollowedCatalog,
  after: Position,
  signal: AbortSignal,
): AsyncGenerator<GroupedTransaction> {
  const { url, followed, silenceMs = SILENCE_MS } = options;
  const { maxRows = MAX_ROWS, maxWaiting = MAX_WAITING } = options;
  // Imported late: most runs ask for no more than a position, and its library is half of all that they would load.
  const { readBinlog } = await import("./binlog-reader.ts");
  const groups = openGroups({ followed, catalog, maxRows });
  let reader: BinlogReader | undefined;
  const queue = transactionQueue<GroupedTransaction>(maxWaiting, {
    pause: () => reader?.pause(),
    resume: () => reader?.resume(),
  });
  const stop = () => queue.end();
  signal.addEventListener("abort", stop);
  // It may have come while the catalog was read, or the library.
  if (signal.aborted) stop();
  let isOver = false;
  try {
    reader = readBinlog({
      address: mysqlAddress(url),
      after,
      tables: watched(catalog, followed),
      silenceMs,
      onEvent(event) {
        const transaction = isOver ? undefined : groups.take(event);
        if (transaction === undefined) return;
        queue.put(transaction);
        if (!transaction.altersTables) return;
        isOver = true;
        queue.end();
      },
      onEnd: (error) => queue.end(error),
    });
    for (let next = await queue.next(); next !== undefined; next = await queue.next()) {
      if (signal.aborted) return;
      yield next;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await reader?.close();
  }
}

/** The followed tables and those whose rows theirs hang on. */
function watched({ schema, cascades }: FollowedCatalog, followed: readonly Followed[]) {
  const parents = [...cascades.keys()].map((name) => {
    const at = name.indexOf(".");
    return [name.slice(0, at), name.slice(at + 1)] as const;
  });
  const all = [...followed.map(({ table }) => [schema, table.name] as const), ...parents];
  const bySchema = Map.groupBy(all, ([each]) => each);
  return Object.fromEntries(
    [...bySchema].map(([each, tables]) => [each, tables.map(([, table]) => table)]),
  );
}
