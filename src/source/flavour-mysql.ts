import type { Flavour } from "./flavour.ts";
import { type MysqlConnection, SNAPSHOT } from "./mysql-connection.ts";
import { checkPosition, type Position } from "./position.ts";

/** A position is published when its commit is over: longer than one takes. */
const IN_FLIGHT_SECONDS = 1;

/** MySQL 8.0.22 and later. */
export function mysqlFlavour(version: string): Flavour {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  // MySQL 8.2 has the newer word, 8.4 no longer the older one.
  const isNewer = major > 8 || (major === 8 && minor >= 2);
  const binlogStatus = isNewer ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS";
  return { ...MYSQL, version, words: { ...MYSQL.words, binlogStatus } };
}

const MYSQL: Omit<Flavour, "version"> = {
  name: "mysql",
  byteCollation: "utf8mb4_0900_bin",
  words: {
    replicaStatus: "SHOW REPLICA STATUS",
    secondsBehind: "Seconds_Behind_Source",
    binlogStatus: "SHOW BINARY LOG STATUS",
    // MySQL 9.7 tells it as a tree unless told otherwise.
    explain: "EXPLAIN FORMAT=TRADITIONAL",
    stopReplica: "STOP REPLICA",
    startReplica: "START REPLICA",
  },
  async standing(connection) {
    const [[identity, isReadOnly] = []] = await connection.all(
      "SELECT @@server_uuid, @@read_only OR @@super_read_only OR @@innodb_read_only",
    );
    return { identity: String(identity), isPrimary: Number(isReadOnly) === 0 };
  },
  position: executed,
  applied: executed,
  reaches: waits,
  has: (connection, position) => waits(connection, position, IN_FLIGHT_SECONDS),
  async snapshotAt(connection, position, seconds) {
    // What is executed was visible a moment before, so it is in a snapshot that is opened afterwards.
    const isExecuted = await waits(connection, position, seconds);
    await connection.run(SNAPSHOT);
    return isExecuted;
  },
};

async function waits(connection: MysqlConnection, position: Position, seconds: number) {
  // For 0 it would wait for ever.
  const values = [checkPosition("mysql", position), Math.max(seconds, 0.001)];
  const [[result] = []] = await connection.all("SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?)", values);
  // 1 is too late.
  return result !== null && Number(result) === 0;
}

/** One set says both; the server breaks its lines. Empty without gtid_mode. */
async function executed(connection: MysqlConnection): Promise<string | undefined> {
  const [[set] = []] = await connection.all("SELECT @@global.gtid_executed");
  const gtids = String(set ?? "").replace(/\s/g, "");
  return gtids === "" ? undefined : `mysql:${gtids}`;
}
