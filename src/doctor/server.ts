import type { Facts } from "./facts.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** The oldest that the statements of Nightbake are for. */
const OLDEST = { mariadb: [10, 6], mysql: [8, 0] } as const;
const NAMES = { mariadb: "MariaDB", mysql: "MySQL" } as const;

/** `load` sends INSERTs of up to 8 MB, and a text may have 16 MB. */
const MIN_PACKET = 16 * 2 ** 20;
const UTC = new Set(["+00:00", "UTC", "Etc/UTC", "GMT"]);

/** Whether the server is one that Nightbake is made for. */
export function versionFinding({ flavour }: Facts): Finding {
  const { name: product, version } = flavour;
  const about = "version";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldest, from] = OLDEST[product];
  const name = NAMES[product];
  if (major > oldest || (major === oldest && minor >= from)) {
    return ok(`It is ${name} ${version}.`, { about });
  }
  const message = `It is ${name} ${version}, which is too old.`;
  return problem(message, `Use ${name} ${oldest}.${from} or newer.`, { about });
}

/**
 * Whether other programs write what pages read: a DATETIME says no zone, and is read as UTC.
 * `dateTimes` are the declared instants that are kept so: `articles.published_at`.
 */
export function timeZoneFinding({ variables }: Facts, dateTimes: readonly string[]): Finding {
  const about = "time_zone";
  const set = variables.get("time_zone") ?? "";
  const zone = set === "SYSTEM" ? (variables.get("system_time_zone") ?? "") : set;
  if (UTC.has(zone)) return ok(`The time zone is ${zone}.`, { about });
  if (dateTimes.length === 0) {
    return ok(`The time zone is ${zone}; no declared column is a DATETIME, so nothing follows.`, {
      about,
    });
  }
  const message = `The time zone is ${zone}: NOW() writes local time into ${dateTimes.join(", ")}, which pages read as UTC.`;
  const remedy =
    "SET GLOBAL time_zone = '+00:00'; and in the server's configuration. Or let writers use UTC_TIMESTAMP(6), or make the columns TIMESTAMP(6).";
  return warning(message, remedy, { about });
}

/** Whether what does not fit is refused when other programs write it. */
export function sqlModeFinding({ variables }: Facts): Finding {
  const about = "sql_mode";
  const modes = new Set(variables.get("sql_mode")?.split(","));
  if (modes.has("STRICT_TRANS_TABLES") || modes.has("STRICT_ALL_TABLES")) {
    return ok("Values that do not fit are refused.", { about });
  }
  return warning(
    "Without a strict sql_mode other programs' values are cut or zeroed where they do not fit, and such rows are bad ones.",
    "SET GLOBAL sql_mode = CONCAT_WS(',', NULLIF(@@GLOBAL.sql_mode, ''), 'STRICT_TRANS_TABLES'); and in the server's configuration.",
    { about },
  );
}

/** Whether long texts and batches of `load` pass. */
export function packetFinding({ variables }: Facts): Finding {
  const about = "max_allowed_packet";
  const bytes = Number(variables.get(about));
  if (bytes >= MIN_PACKET) return ok(`It is ${bytes} bytes.`, { about });
  return warning(
    `It is ${bytes} bytes; longer rows cannot be read, and \`load\` sends batches of 8 MB.`,
    `SET GLOBAL max_allowed_packet = ${4 * MIN_PACKET}; and in the server's configuration.`,
    { about },
  );
}
