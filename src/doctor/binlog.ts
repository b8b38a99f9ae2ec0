import type { Facts } from "./facts.ts";
import { type Finding, ok, problem, unknown, warning } from "./finding.ts";

/** What one setting must be, and how it becomes so. */
interface Wanted {
  readonly name: string;
  readonly value: string;
  /** What is lost otherwise. */
  readonly else: string;
  /** Only the configuration sets it, and the server has to be started again. */
  readonly isStatic?: boolean;
}

const WANTED: readonly Wanted[] = [
  {
    name: "binlog_format",
    value: "ROW",
    else: "changes are logged as statements, which name no rows",
  },
  { name: "binlog_row_image", value: "FULL", else: "what a row was before is not logged" },
  {
    name: "binlog_row_metadata",
    value: "FULL",
    else: "names of columns, and values of ENUMs, are guessed",
  },
];

const MYSQL_WANTED: readonly Wanted[] = [
  ...WANTED,
  {
    name: "gtid_mode",
    value: "ON",
    else: "there are no positions that hold on every server",
    isStatic: true,
  },
  { name: "binlog_transaction_compression", value: "OFF", else: "transactions cannot be decoded" },
  { name: "binlog_row_value_options", value: "", else: "changes inside JSON cannot be decoded" },
];

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
  const { variables, flavour } = facts;
  const flaw = asked.isFollowing ? problem : warning;
  if (variables.get("log_bin") !== "ON") return [logFinding(asked)];
  const wanted = (flavour.name === "mysql" ? MYSQL_WANTED : WANTED).map((each) =>
    settingFinding(facts, each, flaw),
  );
  return [...wanted, ...updatesFinding(facts, asked, flaw), domainFinding(facts)];
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
  { variables }: Facts,
  wanted: Wanted,
  flaw: typeof problem | typeof warning,
): Finding {
  const { name, value, isStatic } = wanted;
  const is = variables.get(name);
  if (is === undefined) return { ...unknown(`The server has no setting ${name}.`), about: name };
  if (is.toUpperCase() === value) return ok(`It is ${value || "empty"}.`, { about: name });
  const set = isStatic
    ? `Set ${name} = ${value} in the server's configuration and start it again.`
    : `SET GLOBAL ${name} = '${value}'; and in the server's configuration. Sessions that are open keep the old one.`;
  return flaw(`It is ${is}: ${wanted.else}. Only \`nightbake follow\` needs it.`, set, {
    about: name,
  });
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
