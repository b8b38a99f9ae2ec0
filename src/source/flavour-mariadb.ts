import { setTimeout as sleep } from "node:timers/promises";
import { PipelineError } from "../error.ts";
import type { Flavour } from "./flavour.ts";
import { type MysqlConnection, SNAPSHOT } from "./mysql-connection.ts";
import { checkPosition, type Position } from "./position.ts";

/** Between two looks at a primary whose commit is in its log and cannot be seen yet. */
const VISIBLE_MS = 5;

/** MariaDB 10.6 and later. */
export function mariadbFlavour(version: string): Flavour {
  return { ...MARIADB, version };
}

const MARIADB: Omit<Flavour, "version"> = {
  name: "mariadb",
  byteCollation: "utf8mb4_nopad_bin",
  words: {
    replicaStatus: "SHOW SLAVE STATUS",
    secondsBehind: "Seconds_Behind_Master",
    binlogStatus: "SHOW MASTER STATUS",
    explain: "EXPLAIN",
    stopReplica: "STOP SLAVE",
    startReplica: "START SLAVE",
  },
  async standing(connection) {
    const [[identity, isReadOnly] = []] = await connection.all(
      "SELECT CONCAT_WS('/', @@hostname, @@port, @@server_id), @@read_only",
    );
    // Whoever forgot read_only on a replica still has its threads running.
    const [[, running] = []] = await connection.all("SHOW GLOBAL STATUS LIKE 'Slaves_running'");
    const isPrimary = Number(isReadOnly) === 0 && Number(running ?? 0) === 0;
    return { identity: String(identity), isPrimary };
  },
  async position(connection) {
    const [[log, current] = []] = await connection.all(
      "SELECT @@gtid_binlog_pos, @@gtid_current_pos",
    );
    // The log of a promoted replica that kept none is empty until it is written to.
    return named(log || current);
  },
  async applied(connection) {
    const [[applied] = []] = await connection.all("SELECT @@gtid_slave_pos");
    return named(applied);
  },
  async reaches(connection, position, seconds) {
    const gtid = checkPosition("mariadb", position);
    const [[result] = []] = await connection.all("SELECT MASTER_GTID_WAIT(?, ?)", [gtid, seconds]);
    // -1 is too late, NULL no answer.
    return result !== null && Number(result) === 0;
  },
  async has(connection, position) {
    const wanted = sequenceOf(checkPosition("mariadb", position));
    const log = await this.position(connection);
    return isAtOrAfter(sequenceOf(log?.slice("mariadb:".length)), wanted);
  },
  async snapshotAt(connection, position, seconds) {
    const until = performance.now() + seconds * 1000;
    const end = await endOfLog(connection);
    for (;;) {
      await connection.run(SNAPSHOT);
      const shown = await shownOfLog(connection);
      const isShown =
        end === undefined ? await isIn(connection, position, shown) : isAtOrBehind(shown, end);
      if (isShown) return true;
      if (performance.now() > until) return false;
      await connection.run("ROLLBACK");
      await sleep(VISIBLE_MS);
    }
  },
};

/** Undefined for a server that has no position. */
function named(value: unknown): string | undefined {
  const gtid = String(value ?? "");
  if (gtid === "") return undefined;
  if (!gtid.includes(",")) return `mariadb:${gtid}`;
  throw new PipelineError("source_rejected", "The database has several GTID domains.", {
    hint: "Nightbake follows one: set gtid_domain_id to the same value on every server.",
  });
}

interface Sequence {
  readonly domain: string;
  readonly number: bigint;
}

function sequenceOf(gtid: string | undefined): Sequence | undefined {
  const [, domain, number] = /^(\d+)-\d+-(\d+)$/.exec(gtid ?? "") ?? [];
  if (domain === undefined || number === undefined) return undefined;
  return { domain, number: BigInt(number) };
}

/** The numbers of a domain grow on a server that writes: it refuses others in gtid_strict_mode. */
function isAtOrAfter(sequence: Sequence | undefined, wanted: Sequence | undefined): boolean {
  if (sequence === undefined || wanted === undefined) return false;
  return sequence.domain === wanted.domain && sequence.number >= wanted.number;
}

/** A place in one server's log; its files are numbered. */
interface LogPlace {
  readonly file: string;
  readonly offset: number;
}

/** Where the log ends: all that has a position by now is before it. Undefined without the right. */
async function endOfLog(connection: MysqlConnection): Promise<LogPlace | undefined> {
  try {
    const [[file, offset] = []] = await connection.all(MARIADB.words.binlogStatus);
    return file === undefined ? undefined : { file: String(file), offset: Number(offset) };
  } catch (error) {
    if (error instanceof PipelineError && error.code === "source_rejected") return undefined;
    throw error;
  }
}

/** Up to where the open snapshot shows the log. */
async function shownOfLog(connection: MysqlConnection): Promise<LogPlace> {
  const status = await connection.all("SHOW STATUS LIKE 'binlog_snapshot_%'");
  const values = new Map(status.map(([name, value]) => [String(name).toLowerCase(), value]));
  return {
    file: String(values.get("binlog_snapshot_file") ?? ""),
    offset: Number(values.get("binlog_snapshot_position") ?? 0),
  };
}

function isAtOrBehind(place: LogPlace, end: LogPlace): boolean {
  const [a, b] = [place, end].map(({ file }) => Number(/\d+$/.exec(file)?.[0] ?? -1));
  return a === b ? place.offset >= end.offset : Number(a) > Number(b);
}

/** The server reads the file of its log up to the place to tell. */
async function isIn(connection: MysqlConnection, position: Position, { file, offset }: LogPlace) {
  const [[gtid = null] = []] = await connection.all("SELECT BINLOG_GTID_POS(?, ?)", [file, offset]);
  if (gtid === null) return false;
  // Nothing was ever written to the log of a replica that was promoted just now.
  const wanted = sequenceOf(checkPosition("mariadb", position));
  return gtid === "" || isAtOrAfter(sequenceOf(String(gtid)), wanted);
}
