import { randomInt } from "node:crypto";
import { Socket } from "node:net";
import ZongJi, {
  type AnyBinlogEvent,
  type BinlogEventByTypeName,
  type BinlogEventTypeName,
  GtidSet,
} from "@vlasky/zongji";
import { PipelineError } from "../error.ts";
import type { MysqlAddress } from "../mysql-address.ts";
import type { BinlogEvent, Image, RowImages } from "./binlog-event.ts";
import { mysqlError } from "./mysql-error.ts";
import type { Position } from "./position.ts";

/** What is read of a log, and who is told. */
export interface BinlogReading {
  readonly address: MysqlAddress;
  /** The transaction after this position comes first. */
  readonly after: Position;
  /** Names of tables by schema; rows of others are not told. */
  readonly tables: Readonly<Record<string, string[]>>;
  /** A server that has said nothing for so long, also no heartbeat, is down. */
  readonly silenceMs: number;
  /** What it throws ends the reading. */
  readonly onEvent: (event: BinlogEvent) => void;
  /** Called once, unless `close` came before. */
  readonly onEnd: (error: unknown) => void;
}

/** A connection that is sent a log. */
export interface BinlogReader {
  /** No more comes, but for a few events that are here already. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/** Three heartbeats are due within the time of silence, four looks at the connection. */
const HEARTBEATS = 3;
const LOOKS = 4;
const NS_PER_MS = 1_000_000;
const US_PER_MS = 1_000;
/** Of replicas' numbers those that no operator gives; a server ends the older of two that are equal. */
const SERVER_IDS = [2 ** 31, 2 ** 32] as const;

/** Begins to read a log. Whatever goes wrong ends it: the library would go on behind what it lost. */
export function readBinlog(reading: BinlogReading): BinlogReader {
  const { after, silenceMs, onEvent } = reading;
  const log = newLog(reading.address);
  let state: "open" | "paused" | "ended" = "open";
  const leave = () => {
    state = "ended";
    clearInterval(watch);
    log.stop();
  };
  const end = (error: unknown) => {
    if (state === "ended") return;
    leave();
    reading.onEnd(translated(error, after));
  };
  const isPaused = () => state === "paused";
  const look = silenceWatch(log, isPaused, () => end(silent(silenceMs)));
  const watch = setInterval(look, silenceMs / LOOKS);
  const positionOf = positions(after);
  log.on("error", end);
  log.on("ready", () => askForHeartbeats(log, silenceMs / HEARTBEATS, end));
  log.on("binlog", (event) => {
    if (state === "ended") return;
    try {
      const told = toldBy(event, positionOf);
      if (told !== undefined) onEvent(told);
    } catch (error) {
      end(error);
    }
  });
  log.start(startOf(reading));
  return {
    pause() {
      if (state === "open") log.connection?.pause();
      if (state === "open") state = "paused";
    },
    resume() {
      if (state === "paused") log.connection?.resume();
      if (state === "paused") state = "open";
    },
    async close() {
      if (state === "ended") return;
      const stopped = new Promise<void>((resolve) => log.once("stopped", resolve));
      leave();
      await stopped;
    },
  };
}

function newLog({ database: _, ...server }: MysqlAddress): ZongJi {
  // As the connections that rows are read on. A user that may only replicate has no database.
  const form = { dateStrings: true, timezone: "Z", supportBigNumbers: true, jsonStrings: true };
  return new ZongJi({ ...server, ...form, charset: "utf8mb4" });
}

function startOf({ after, tables }: BinlogReading) {
  const gtidSet = after.slice(after.indexOf(":") + 1);
  return { gtidSet, serverId: randomInt(...SERVER_IDS), includeSchema: { ...tables } };
}

/** Sent before the log is asked for. MySQL 8.4 knows the second name only. */
function askForHeartbeats(log: ZongJi, ms: number, onError: (error: unknown) => void): void {
  const ns = Math.round(ms * NS_PER_MS);
  const sql = `SET @master_heartbeat_period = ${ns}, @source_heartbeat_period = ${ns}`;
  log.connection?.query(sql, (error) => error && onError(error));
}

/** Looks whether anything came since the last look: a long transaction of other tables is no silence. */
function silenceWatch(log: ZongJi, isPaused: () => boolean, onSilence: () => void): () => void {
  let seen = 0;
  let quiet = 0;
  return () => {
    // No type of the driver's tells of its socket.
    const socket: unknown = log.connection && Reflect.get(log.connection, "stream");
    const bytes = socket instanceof Socket ? socket.bytesRead : 0;
    // Looks are counted, not time: after a busy moment of this process the first finds what had come.
    quiet = isPaused() || bytes !== seen ? 0 : quiet + 1;
    seen = bytes;
    if (quiet >= LOOKS) onSilence();
  };
}

/** Gives the position after each group, of groups in their order. */
function positions(after: Position): (gtid: string) => Position {
  if (after.startsWith("mysql:")) {
    const executed = GtidSet.parse(after.slice("mysql:".length));
    return (gtid) => {
      executed.add(gtid);
      return `mysql:${executed.toString()}`;
    };
  }
  const [, domain] = /^mariadb:(\d+)-/.exec(after) ?? [];
  return (gtid) => {
    if (gtid.startsWith(`${domain}-`)) return `mariadb:${gtid}`;
    throw new PipelineError("source_rejected", "The database writes in several GTID domains.", {
      hint: "Nightbake follows one: set gtid_domain_id to the same value on every server.",
      at: { gtid },
    });
  };
}

function isA<N extends BinlogEventTypeName>(
  event: AnyBinlogEvent,
  ...names: readonly N[]
): event is BinlogEventByTypeName<N> {
  return (names as readonly string[]).includes(event.getTypeName());
}

/** Undefined for what says nothing of rows. */
function toldBy(
  event: AnyBinlogEvent,
  positionOf: (gtid: string) => Position,
): BinlogEvent | undefined {
  const committedAt = event.timestamp * US_PER_MS;
  if (isA(event, "MariadbGtid")) {
    const position = positionOf(event.gtid);
    return { is: "begin", position, committedAt, isAlone: event.standalone };
  }
  // MySQL does not tell what stands alone: a transaction says BEGIN.
  if (isA(event, "Gtid")) {
    return { is: "begin", position: positionOf(event.gtid), committedAt, isAlone: true };
  }
  if (isA(event, "Query")) return { is: "statement", text: event.query, schema: event.schema };
  if (isA(event, "Xid", "XaPrepare")) return { is: "end" };
  if (isA(event, "WriteRows", "UpdateRows", "DeleteRows")) return rowsOf(event);
  if (isA(event, "Unknown")) return { is: "opaque", what: "an event of an unknown kind" };
  if (isA(event, "AnonymousGtid")) throw new Error("A transaction has no GTID.");
  return undefined;
}

type RowsEvent = BinlogEventByTypeName<"WriteRows" | "UpdateRows" | "DeleteRows"> & {
  /** Which columns were logged; of an update those of the row before. Not in the library's types. */
  readonly columns_present_bitmap: Buffer;
  readonly columns_present_bitmap2?: Buffer;
};

function rowsOf(event: BinlogEventByTypeName<"WriteRows" | "UpdateRows" | "DeleteRows">) {
  const { tableId, tableMap, columns_present_bitmap: first } = event as RowsEvent;
  const { columns_present_bitmap2: second = first } = event as RowsEvent;
  const table = tableMap[tableId];
  if (table === undefined) throw new Error("Rows came without their table.");
  const names = (table.columns ?? []).map(({ name }) => name);
  const [was, is] = [first, second].map((bitmap) => onlyPresent(names, bitmap)) as [Only, Only];
  const images = (): readonly RowImages[] => {
    if (isA(event, "UpdateRows")) {
      return event.rows.map(({ before, after }) => ({ before: was(before), after: is(after) }));
    }
    const isGone = isA(event, "DeleteRows");
    return (event.rows as readonly Image[]).map((row) =>
      isGone ? { before: was(row), after: undefined } : { before: undefined, after: was(row) },
    );
  };
  return {
    is: "rows",
    schema: table.parentSchema,
    table: table.tableName,
    rows: images(),
  } as const;
}

type Only = (image: Image) => Image;

/** The library gives null for columns that were not logged. */
function onlyPresent(names: readonly string[], bitmap: Buffer): Only {
  const isPresent = (_: string, at: number) => ((bitmap[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
  if (names.every(isPresent)) return (image) => image;
  const present = names.filter(isPresent);
  return (image) => Object.fromEntries(present.map((name) => [name, image[name]]));
}

function silent(silenceMs: number): PipelineError {
  const message = `The database's log has been silent for ${silenceMs / 1000} s, without a heartbeat.`;
  return new PipelineError("source_unavailable", message);
}

/** MySQL's and MariaDB's answer to a position that they cannot go on from. */
const NO_SUCH_POSITION = 1236;

/** What the library cannot decode is lost as well. */
function translated(error: unknown, after: Position): unknown {
  const { errno } = error as { readonly errno?: unknown };
  const known = errno === NO_SUCH_POSITION ? undefined : mysqlError(error);
  if (known instanceof PipelineError) return known;
  const reason = error instanceof Error ? error.message : String(error);
  const message = `The database's log cannot be followed from ${after}: ${reason}`;
  return new PipelineError("feed_lost", message, {
    hint: "Every row has to be read; `nightbake follow` does that by itself.",
    at: { position: after.slice(0, 200) },
    cause: error,
  });
}
