import { PipelineError } from "../error.ts";
import { type AnyTable, type Instant, listsOf, type Site, tablesOf } from "../site.ts";
import type { MysqlConnection, MysqlPool } from "../source/mysql-connection.ts";
import { mysqlStorage } from "../source/mysql-storage.ts";
import { differences } from "../source/stored.ts";
import { type BinlogAsked, binlogFindings } from "./binlog.ts";
import { clockFinding } from "./clock.ts";
import { readFacts } from "./facts.ts";
import { type Check, examine, type Finding, problem, type Told } from "./finding.ts";
import { followFinding, ledgerFinding, loadFinding, readable, readGrants } from "./grants.ts";
import { indexFindings } from "./indexes.ts";
import { type Asked, lagFinding, roleFinding } from "./replicas.ts";
import { packetFinding, sqlModeFinding, timeZoneFinding, versionFinding } from "./server.ts";
import { dateTimes, tableFindings } from "./tables.ts";

/** A database server that the settings name. */
export interface Server {
  /** `feed`: it is followed, by a user who need not read; else the primary is. */
  readonly role: "primary" | "replica" | "ledger" | "feed";
  /** `db.example.com:3306/site` */
  readonly address: string;
  readonly pool: MysqlPool;
}

/** What servers are looked at for. */
export interface DatabaseAsked {
  readonly site: Site;
  readonly now: Instant;
  /** Live following is in use. */
  readonly isFollowing: boolean;
}

/** Looks at every server, one after the other, the primary first. */
export async function* examineDatabases(
  servers: readonly Server[],
  asked: DatabaseAsked,
): AsyncGenerator<Told> {
  await using open = new AsyncDisposableStack();
  const hasReplicas = servers.some(({ role }) => role === "replica");
  const hasFeed = servers.some(({ role }) => role === "feed");
  let primary: Asked | undefined;
  for (const server of servers) {
    const { role, pool } = server;
    const place = `${role} ${server.address}`;
    const reached = await reach(pool);
    if ("state" in reached) {
      yield { check: "connection", place, ...reached };
      continue;
    }
    open.defer(() => reached.connection.release());
    if (role === "primary") primary = reached;
    const isFollowed = role === (hasFeed ? "feed" : "primary");
    const known = { ...asked, hasReplicas, isFollowed, primary };
    const checks =
      role === "ledger"
        ? ledgerChecks(reached)
        : role === "feed"
          ? feedChecks(reached, { ...known, role, isFollowing: true })
          : rowChecks(reached, { ...known, role });
    for (const [name, look] of Object.entries(checks)) {
      yield* await examine({ name, place, look });
    }
  }
}

async function reach(pool: MysqlPool): Promise<Asked | Finding> {
  let connection: MysqlConnection | undefined;
  try {
    connection = await pool.connect();
    return { connection, facts: await readFacts(connection) };
  } catch (error) {
    await connection?.release();
    if (!(error instanceof PipelineError)) throw error;
    const [, user, database] = /for user ('.*'@'.*') to database '(.*)'/.exec(error.message) ?? [];
    const grant = user && `GRANT SELECT ON \`${database}\`.* TO ${user};`;
    return problem(error.message, grant ?? error.hint);
  }
}

type Looks = Readonly<Record<string, Check["look"]>>;

function ledgerChecks({ connection, facts }: Asked): Looks {
  return {
    server: async () => [versionFinding(facts), packetFinding(facts)],
    grants: async () => [ledgerFinding(facts, await readGrants(connection, facts))],
    clock: async () => [await clockFinding(connection)],
  };
}

function feedChecks({ connection, facts }: Asked, asked: BinlogAsked): Looks {
  return {
    server: async () => [versionFinding(facts)],
    grants: async () => [followFinding(facts, await readGrants(connection, facts), asked)],
    binlog: async () => binlogFindings(facts, asked),
    clock: async () => [await clockFinding(connection)],
  };
}

interface RowsAsked extends DatabaseAsked, BinlogAsked {
  readonly role: "primary" | "replica";
  /** Undefined when it did not answer. */
  readonly primary: Asked | undefined;
}

function rowChecks(server: Asked, asked: RowsAsked): Looks {
  const { connection, facts } = server;
  const { role, primary, now, site } = asked;
  const lists = listsOf(site.kinds);
  // What may not be read is told once, with the grants.
  let tables: readonly AnyTable[] = tablesOf(site.kinds);
  const looks: Looks = {
    async grants() {
      const { refused, findings } = await readable(connection, facts, tables);
      tables = tables.filter((table) => !refused.has(table));
      const grants = await readGrants(connection, facts);
      const load = role === "primary" ? [loadFinding(facts, grants)] : [];
      const follow = asked.isFollowed ? [followFinding(facts, grants, asked)] : [];
      return [...findings, ...load, ...follow];
    },
    server: async () => [
      versionFinding(facts),
      timeZoneFinding(facts, await dateTimes(connection, tables)),
      sqlModeFinding(facts),
      packetFinding(facts),
    ],
    binlog: async () => binlogFindings(facts, asked),
    clock: async () => [await clockFinding(connection)],
    tables: async () => await tableFindings(connection, tables, lists),
    async indexes() {
      const flaws = await differences(mysqlStorage(connection), tables, lists);
      const flawed = new Set(flaws.filter(({ is }) => is !== "order").map(({ table }) => table));
      const sound = tables.filter((table) => !flawed.has(table));
      return await indexFindings(server, sound, { lists, now });
    },
  };
  const standing = { role: async () => [await roleFinding(server, { role, primary })] };
  if (role === "primary" || primary === undefined) return { ...standing, ...looks };
  return { ...standing, ...looks, lag: async () => [await lagFinding(primary, server)] };
}
