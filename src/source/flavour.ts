import { PipelineError } from "../error.ts";
import { mariadbFlavour } from "./flavour-mariadb.ts";
import { mysqlFlavour } from "./flavour-mysql.ts";
import type { MysqlConnection } from "./mysql-connection.ts";
import { checkPosition, type Position } from "./position.ts";

/** What MySQL and MariaDB say and do differently. */
export interface Flavour {
  readonly name: "mariadb" | "mysql";
  /** As the server says it: `10.11.19-MariaDB-log`. */
  readonly version: string;
  /** The collation whose order is that of UTF-8 bytes, without padding. */
  readonly byteCollation: string;
  /** Statements and columns that differ in name only. Each statement needs a right of its own. */
  readonly words: FlavourWords;
  /** What the server is in its topology. Needs no right. */
  standing(connection: MysqlConnection): Promise<Standing>;
  /**
   * Where the server's own log is: all that was committed there, and told to its client, before the
   * call is at or before it. Undefined when the server keeps no log with GTIDs. Needs no right.
   * @throws PipelineError `source_rejected` when there are several GTID domains
   */
  position(connection: MysqlConnection): Promise<Position | undefined>;
  /** What a replica has applied, the same way; undefined before its first transaction. */
  applied(connection: MysqlConnection): Promise<Position | undefined>;
  /**
   * Waits until a replica shows all up to `position` to who begins to read then; false when it took
   * longer. MariaDB's primary never reaches any: look at its standing first. Needs no right.
   * @throws PipelineError `input_invalid` when it is no position of this flavour
   */
  reaches(connection: MysqlConnection, position: Position, seconds: number): Promise<boolean>;
  /**
   * True when `position` is in a primary's own history. Needs no right.
   * @throws PipelineError `input_invalid` when it is no position of this flavour
   */
  has(connection: MysqlConnection, position: Position): Promise<boolean>;
  /**
   * Opens a snapshot on a primary that has `position`, one that shows all up to there: its log is
   * written a moment before what it tells can be seen. False when none did in time. Needs no right;
   * with BINLOG MONITOR MariaDB need not read its log for it.
   */
  snapshotAt(connection: MysqlConnection, position: Position, seconds: number): Promise<boolean>;
}

/** See {@link Flavour.words}. */
export interface FlavourWords {
  /** Needs SLAVE MONITOR (MariaDB), REPLICATION CLIENT (MySQL). */
  readonly replicaStatus: string;
  /** Column of it: seconds, NULL while replication is stopped. 0 does not mean that all is there. */
  readonly secondsBehind: string;
  /** File and offset of the log; needs BINLOG MONITOR (MariaDB), REPLICATION CLIENT (MySQL). */
  readonly binlogStatus: string;
  /** Begins a statement that tells its plan as rows, a column for each part. */
  readonly explain: string;
  readonly stopReplica: string;
  readonly startReplica: string;
}

/** A server in its topology. */
export interface Standing {
  /** Equal for two addresses of one server. */
  readonly identity: string;
  /** It takes writes of ordinary users and applies nobody else's. */
  readonly isPrimary: boolean;
}

/** Asks a server which flavour it is. */
export async function flavourOf(connection: MysqlConnection): Promise<Flavour> {
  const [[text] = []] = await connection.all("SELECT VERSION()");
  const version = String(text);
  return /mariadb/i.test(version) ? mariadbFlavour(version) : mysqlFlavour(version);
}

/**
 * Checks a position that somebody gives, e.g. on the command line: `mariadb:0-1-8`,
 * `mysql:3e11fa47-71ca-11e1-9e33-c80aa9429562:1-8`. Whether a server has it only a server can say.
 * @throws PipelineError `input_invalid` when it is empty or of no flavour
 */
export function parsePosition(text: string): Position {
  const position = text.trim();
  const name = position.slice(0, Math.max(0, position.indexOf(":")));
  if (name === "mariadb" || name === "mysql") checkPosition(name, position);
  else throw notUnderstood();
  return position;
}

function notUnderstood(): PipelineError {
  return new PipelineError("input_invalid", "The position has no flavour before it, or is empty.", {
    hint: "Write mariadb: and the value of @@last_gtid, or mysql: and a GTID set.",
  });
}
