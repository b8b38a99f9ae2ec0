import { type Flavour, flavourOf } from "../source/flavour.ts";
import type { MysqlConnection } from "../source/mysql-connection.ts";

/** What a database server says of itself. */
export interface Facts {
  readonly flavour: Flavour;
  readonly database: string;
  /** Quoted, as a GRANT names it: `'reader'@'%'`. */
  readonly user: string;
  /** Global variables by name; those that the flavour does not have are absent. */
  readonly variables: ReadonlyMap<string, string>;
}

const VARIABLES = [
  "binlog_format",
  "binlog_row_image",
  "binlog_row_metadata",
  "binlog_row_value_options",
  "binlog_transaction_compression",
  "gtid_binlog_pos",
  "gtid_mode",
  "gtid_strict_mode",
  "log_bin",
  "log_slave_updates",
  "log_replica_updates",
  "max_allowed_packet",
  "read_only",
  "sql_mode",
  "system_time_zone",
  "time_zone",
];

/** Asks for all of it; needs no privilege. */
export async function readFacts(connection: MysqlConnection): Promise<Facts> {
  const [row = []] = await connection.all("SELECT DATABASE(), CURRENT_USER()");
  const [database = "", user = ""] = row.map(String);
  const marks = VARIABLES.map(() => "?").join(", ");
  const variables = await connection.all(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${marks})`,
    VARIABLES,
  );
  return {
    flavour: await flavourOf(connection),
    database,
    user: account(user),
    variables: new Map(variables.map(([name, value]) => [String(name), String(value)])),
  };
}

/** The host of an account never holds an "@", its name may. */
function account(user: string): string {
  const at = user.lastIndexOf("@");
  return [user.slice(0, at), user.slice(at + 1)].map(literal).join("@");
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
