import { PipelineError } from "../error.ts";
import type { MysqlConnection } from "./mysql-connection.ts";

/** What a setting of the binary log must be, by name. Those that a server does not have are not asked for. */
export const BINLOG_SETTINGS = {
  log_bin: "ON",
  binlog_format: "ROW",
  binlog_row_image: "FULL",
  binlog_row_metadata: "FULL",
  // MySQL only.
  binlog_transaction_compression: "OFF",
  binlog_row_value_options: "",
  gtid_mode: "ON",
} as const satisfies Readonly<Record<string, string>>;

/**
 * Checks that the server logs rows whole and with their columns' names. Sessions may still differ, so
 * the log itself is watched, too.
 * @throws PipelineError `source_rejected` with every setting that must be another
 */
export async function checkBinlogSettings(connection: MysqlConnection): Promise<void> {
  const names = [...Object.keys(BINLOG_SETTINGS), "read_only", "log_slave_updates"];
  const rows = await connection.all(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names.map(() => "?").join(", ")})`,
    names,
  );
  const settings = new Map(
    rows.map(([name, value]) => [String(name).toLowerCase(), String(value)]),
  );
  const wanted = {
    ...BINLOG_SETTINGS,
    ...(settings.get("read_only") === "ON" && { log_slave_updates: "ON" }),
  };
  const wrong = Object.entries(wanted).filter(([name, value]) => {
    const is = settings.get(name) ?? (name === "binlog_row_metadata" ? "not there" : value);
    return is.toUpperCase() !== value;
  });
  const [first] = wrong;
  if (first === undefined) return;
  const say = ([name, value]: readonly [string, string]) =>
    `${name} is ${settings.get(name) ?? "not there"} and must be ${value || "empty"}`;
  const message = `The database does not log what following it needs: ${wrong.map(say).join("; ")}.`;
  const problems = wrong.map((each) => ({
    place: each[0],
    message: `It ${say(each).slice(each[0].length + 1)}.`,
  }));
  throw new PipelineError("source_rejected", message, { hint: hintOf(first[0]), problems });
}

function hintOf(setting: string): string {
  if (setting === "log_bin" || setting === "log_slave_updates") {
    return `Turn ${setting} on in the server's configuration and restart it, or follow another server.`;
  }
  return "Set it in the server's configuration, then SET GLOBAL; sessions that are open keep the old value.";
}
