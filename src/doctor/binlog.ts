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

/** What a server's binary log is for. */
export interface BinlogAsked {
  readonly role: "primary" | "replica" | "feed";
  /** Positions are compared with other servers'. */
  readonly hasReplicas: boolean;
  /** It is the server that `follow` follows. */
  readonly isFollowed: boolean;
  /** Live following is in use, so that what only it needs is a problem when it is missing. */
  readonly isFollowing: boolean;
}

/** The settings of the binary log that following live and comparing positions need. */
export function binlogFindings(facts: Facts, asked: BinlogAsked): readonly Finding[] {
  const { variables } = facts;
  if (variables.get("log_bin") !== "ON") return logFinding(asked);
  const flaw = asked.isFollowing ? problem : warning;
  const names = asked.isFollowed ? Object.keys(LOST) : ["gtid_mode"];
  const settings = (names as (keyof typeof LOST)[]).flatMap((name) => {
    const is = variables.get(name);
    return is === undefined ? [] : settingFinding({ name, lost: LOST[name], is }, flaw);
  });
  return [...settings, ...updatesFinding(facts, asked), ...positionFindings(facts, asked)];
}

/** Replicas that write none are as good as others to read from. */
function logFinding({ role, hasReplicas, isFollowed, isFollowing }: BinlogAsked) {
  const about = "log_bin";
  const remedy = "Set log_bin in the server's configuration and start it again.";
  if (role === "primary" && hasReplicas) {
    const message =
      "It writes no binary log, so it has no positions that replicas could have reached.";
    return [problem(message, remedy, { about })];
  }
  if (!isFollowed) return [];
  const message = "It writes no binary log, so `nightbake follow` cannot follow it.";
  if (isFollowing) return [problem(message, remedy, { about })];
  return [ok(`${message} Builds do not need one.`, { about })];
}

function settingFinding(
  {
    name,
    lost,
    is,
  }: { readonly name: keyof typeof LOST; readonly lost: string; readonly is: string },
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

/** A replica can be followed where it logs what it applies. */
function updatesFinding({ variables }: Facts, { role }: BinlogAsked): readonly Finding[] {
  const name = variables.has("log_replica_updates") ? "log_replica_updates" : "log_slave_updates";
  if (role !== "feed" || variables.get("read_only") !== "ON") return [];
  if (variables.get(name) === "ON") return [ok("It logs what it applies.", { about: name })];
  const remedy = `Set ${name} = ON in its configuration and start it again, or follow the primary.`;
  return [
    problem("It does not log what it applies, so it cannot be followed.", remedy, { about: name }),
  ];
}

/** Positions are compared within one domain, where they grow. */
function positionFindings({ variables }: Facts, { hasReplicas }: BinlogAsked): readonly Finding[] {
  const position = variables.get("gtid_binlog_pos") ?? "";
  const isStrict = variables.get("gtid_strict_mode") !== "OFF";
  const domains = position.includes(",")
    ? problem(
        `Its position has several GTID domains (${position}), which Nightbake does not compare.`,
        "Write with one gtid_domain_id on all servers.",
        { about: "gtid_domain_id" },
      )
    : ok("Positions have one domain.", { about: "gtid_domain_id" });
  if (isStrict || !hasReplicas) return [domains];
  const message =
    "It accepts transactions out of order, after which positions say less than they should.";
  const remedy = "SET GLOBAL gtid_strict_mode = ON; and in the server's configuration.";
  return [domains, warning(message, remedy, { about: "gtid_strict_mode" })];
}
