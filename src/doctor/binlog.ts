import { BINLOG_SETTINGS } from "../source/binlog-settings.ts";
import type { Facts } from "./facts.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

type Setting = keyof typeof BINLOG_SETTINGS;

/** What is lost where a setting is another than {@link BINLOG_SETTINGS} says. */
const LOST: Readonly<Record<Exclude<Setting, "log_bin">, string>> = {
  binlog_format: "changes are logged as statements, which name no rows",
  binlog_row_image: "what a row was before is not logged",
  binlog_row_metadata: "names of columns, and values of ENUMs, are guessed",
  binlog_transaction_compression: "transactions cannot be decoded",
  binlog_row_value_options: "changes inside JSON cannot be decoded",
  gtid_mode: "there are no positions that hold on every server",
};

/** What is asked of a server's binary log. */
export interface BinlogAsked {
  readonly role: "primary" | "replica";
  /** Positions are compared with other servers'. */
  readonly hasReplicas: boolean;
  /** Live following is in use, so that what only it needs is a problem when it is missing. */
  readonly isFollowing: boolean;
}

/** The settings of the binary log that following live and comparing positions need. */
export function binlogFindings(facts: Facts, asked: BinlogAsked): readonly Finding[] {
  const { variables } = facts;
  const flaw = asked.isFollowing ? problem : warning;
  if (variables.get("log_bin") !== "ON") return [logFinding(asked)];
  const settings = Object.entries(LOST).flatMap(([name, lost]) => {
    const is = variables.get(name);
    return is === undefined ? [] : settingFinding({ name: name as Setting, lost, is }, flaw);
  });
  return [...settings, ...updatesFinding(facts, asked, flaw), domainFinding(facts)];
}

function logFinding({ role, hasReplicas, isFollowing }: BinlogAsked): Finding {
  const about = "log_bin";
  const remedy = "Set log_bin in the server's configuration and start it again.";
  if (role === "primary" && hasReplicas) {
    const message =
      "It writes no binary log, so it has no positions that replicas could have reached.";
    return problem(message, remedy, { about });
  }
  const message = "It writes no binary log, so `nightbake follow` cannot follow it.";
  if (isFollowing && role === "primary") return problem(message, remedy, { about });
  return ok(`${message} Builds do not need one.`, { about });
}

function settingFinding(
  { name, lost, is }: { readonly name: Setting; readonly lost: string; readonly is: string },
  flaw: typeof problem | typeof warning,
): Finding {
  const [about, value] = [name, BINLOG_SETTINGS[name]];
  if (is.toUpperCase() === value) return ok(`It is ${value || "empty"}.`, { about });
  // The one that takes several steps, and a start, to be turned on.
  const set =
    name === "gtid_mode"
      ? `Set ${name} = ${value} in the server's configuration and start it again.`
      : `SET GLOBAL ${name} = '${value}'; and in the server's configuration. Sessions that are open keep the old one.`;
  const who =
    name === "gtid_mode" ? "Replicas and `nightbake follow` need" : "Only `nightbake follow` needs";
  return flaw(`It is ${is}: ${lost}. ${who} it.`, set, { about });
}

/** A replica can be followed where it logs what it applies; else the primary is. */
function updatesFinding(
  { variables }: Facts,
  { role }: BinlogAsked,
  flaw: typeof problem | typeof warning,
): readonly Finding[] {
  if (role === "primary") return [];
  const name = variables.has("log_replica_updates") ? "log_replica_updates" : "log_slave_updates";
  if (variables.get(name) === "ON") return [ok("It logs what it applies.", { about: name })];
  const message = "It does not log what it applies, so `nightbake follow` follows the primary.";
  const remedy = `Set ${name} = ON in its configuration and start it again.`;
  return [
    flaw === problem ? warning(message, remedy, { about: name }) : ok(message, { about: name }),
  ];
}

/** Positions with several domains are not compared as yet. */
function domainFinding({ variables }: Facts): Finding {
  const about = "gtid_domain_id";
  const position = variables.get("gtid_binlog_pos") ?? "";
  if (!position.includes(",")) return ok("Positions have one domain.", { about });
  return problem(
    `Its position has several GTID domains (${position}), which Nightbake does not compare.`,
    "Write with one gtid_domain_id on all servers.",
    { about },
  );
}
