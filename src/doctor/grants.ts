import { PipelineError } from "../error.ts";
import type { AnyTable } from "../site.ts";
import type { MysqlConnection } from "../source/mysql-connection.ts";
import type { Facts } from "./facts.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** Rights of a user on one thing: `*.*`, `db.*` or `db.table`, unquoted. */
export interface Grant {
  readonly rights: ReadonlySet<string>;
  readonly on: string;
}

/** What `load` and the ledger do; reading needs SELECT alone. */
const LOAD = ["INSERT", "UPDATE", "DELETE", "CREATE", "INDEX"];
/** Its tables change with releases. */
const LEDGER = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP"];

/** Tables that may not be read, and what to tell of all. */
export interface Readable {
  readonly refused: ReadonlySet<AnyTable>;
  readonly findings: readonly Finding[];
}

/** Tries to read the declared columns of each table, which is the only test that roles and views pass. */
export async function readable(
  connection: MysqlConnection,
  facts: Facts,
  tables: readonly AnyTable[],
): Promise<Readable> {
  const refused = new Set<AnyTable>();
  for (const table of tables) {
    const columns = Object.keys(table.columns).map(name);
    const sql = `SELECT ${columns.join(", ")} FROM ${name(table.name)} LIMIT 0`;
    await connection.all(sql).catch((error: unknown) => {
      // That it is not there, or not as declared, is told with the tables.
      if (!(error instanceof PipelineError) || error.code !== "source_rejected") throw error;
      if (/ER_\w*ACCESS_DENIED/.test(error.message)) refused.add(table);
    });
  }
  const findings = [...refused].map((table) => {
    const message = `The user may not read ${table.name}, so no page that needs it can be built.`;
    return problem(message, grantSql(facts, ["SELECT"], table.name), { about: "SELECT" });
  });
  if (findings.length > 0) return { refused, findings };
  return { refused, findings: [ok("Every declared table can be read.", { about: "SELECT" })] };
}

/** What `load` would need, told where it is missing; a user who only reads is as it should be. */
export function loadFinding(facts: Facts, grants: readonly Grant[]): Finding {
  const about = "load";
  const missing = missingRights(grants, LOAD, facts.database);
  if (missing.length === 0) return ok("`nightbake load` may write.", { about });
  const message = "The user only reads, as builds should; `nightbake load` would need more.";
  return ok(message, { about, remedy: grantSql(facts, missing) });
}

/** What following the binary log needs. */
export function followFinding(
  facts: Facts,
  grants: readonly Grant[],
  { isFollowing }: { readonly isFollowing: boolean },
): Finding {
  const about = "REPLICATION SLAVE";
  const isThere = grants.some(({ on, rights }) => on === "*.*" && has(rights, about));
  if (isThere) return ok("The binary log may be followed.", { about });
  const message = "The user may not follow the binary log. Only `nightbake follow` needs it.";
  const remedy = `GRANT REPLICATION SLAVE ON *.* TO ${facts.user};`;
  return (isFollowing ? problem : warning)(message, remedy, { about });
}

/** What the ledger's user needs. */
export function ledgerFinding(facts: Facts, grants: readonly Grant[]): Finding {
  const about = "ledger";
  const missing = missingRights(grants, LEDGER, facts.database);
  if (missing.length === 0) return ok("The ledger may be kept here.", { about });
  const message = `The user lacks ${missing.join(", ")}, so the ledger cannot be kept here.`;
  return problem(message, grantSql(facts, missing), { about });
}

/** The rights of the user and of the roles in force. */
export async function readGrants(
  connection: MysqlConnection,
  { flavour }: Facts,
): Promise<readonly Grant[]> {
  // MariaDB lists the rights of the role by itself, MySQL those of roles that are named.
  const [[roles] = []] =
    flavour.name === "mysql" ? await connection.all("SELECT CURRENT_ROLE()") : [];
  const isNamed = roles !== undefined && roles !== null && roles !== "NONE";
  const sql = isNamed ? `SHOW GRANTS FOR CURRENT_USER() USING ${roles}` : "SHOW GRANTS";
  const lines = await connection.all(sql);
  return lines.flatMap(([line]) => parseGrant(String(line)) ?? []);
}

/** Reads one line of SHOW GRANTS; undefined for what is no right on tables, e.g. a role. */
export function parseGrant(line: string): Grant | undefined {
  const [, rights, on] =
    /^GRANT (.+?) ON (?:TABLE )?((?:`[^`]*`|\*)\.(?:`[^`]*`|\*)) TO /.exec(line) ?? [];
  if (rights === undefined || on === undefined) return undefined;
  // Columns stand in parentheses: SELECT (`a`, `b`), INSERT. What holds for some of them is no right here.
  const whole = rights.split(/, (?![^(]*\))/).filter((each) => !each.includes("("));
  return { rights: new Set(whole), on: on.replaceAll("`", "") };
}

/** Those of `wanted` that the user does not have on the whole database. */
export function missingRights(
  grants: readonly Grant[],
  wanted: readonly string[],
  database: string,
): readonly string[] {
  const own = grants.filter(({ on }) => on.endsWith(".*") && covers(on.slice(0, -2), database));
  return wanted.filter((right) => !own.some(({ rights }) => has(rights, right)));
}

function has(rights: ReadonlySet<string>, right: string): boolean {
  return rights.has(right) || rights.has("ALL PRIVILEGES") || rights.has("ALL");
}

/** A granted database is a pattern: `_` and `%` match unless a backslash stands before them. */
function covers(pattern: string, database: string): boolean {
  if (pattern === "*") return true;
  const parts = pattern.match(/\\.|./gs) ?? [];
  const source = parts.map((part) => {
    if (part === "%") return ".*";
    return part === "_" ? "." : RegExp.escape(part.replace(/^\\(?=[_%])/, ""));
  });
  return new RegExp(`^${source.join("")}$`, "s").test(database);
}

function grantSql(facts: Facts, rights: readonly string[], table?: string): string {
  const on = `${name(facts.database)}.${table === undefined ? "*" : name(table)}`;
  return `GRANT ${rights.join(", ")} ON ${on} TO ${facts.user};`;
}

function name(text: string): string {
  return `\`${text.replaceAll("`", "``")}\``;
}
