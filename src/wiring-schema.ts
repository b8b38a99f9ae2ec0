import { existsSync } from "node:fs";
import type { Config } from "./config.ts";
import { loadSite } from "./load-site.ts";
import { listsOf, tablesOf } from "./site.ts";
import { mariadbFlavour } from "./source/flavour-mariadb.ts";
import { mysqlFlavour } from "./source/flavour-mysql.ts";
import type { InventoryTable } from "./source/inventory.ts";
import { type MysqlConnection, mysqlPool } from "./source/mysql-connection.ts";
import { readInventory } from "./source/mysql-inventory.ts";
import { emptyMysql, scriptedMysql } from "./source/mysql-script.ts";
import { type Scripted, type ScriptStep, schemaScript } from "./source/schema-script.ts";
import { sqliteConnection } from "./source/sqlite-connection.ts";
import { scriptedSqlite } from "./source/sqlite-script.ts";

/** The databases that a script can be for. */
export const TARGETS = ["mariadb", "mysql", "sqlite"] as const;
export type Target = (typeof TARGETS)[number];

/** A script, and whether it is one of MySQL or MariaDB. */
export interface Script {
  readonly steps: readonly ScriptStep[];
  readonly isMysql: boolean;
}

/**
 * Writes what an empty database needs, or with no `target` what the one that the settings name lacks.
 * Nothing is run.
 * @throws PipelineError `config_invalid`, `source_unavailable`, `source_rejected`
 */
export async function scriptOf(config: Config, target: Target | undefined): Promise<Script> {
  const { kinds } = await loadSite(config.configFile, config.siteUrl);
  const steps = (scripted: Scripted) => schemaScript(scripted, tablesOf(kinds), listsOf(kinds));
  if (target !== undefined) {
    return { steps: await steps(emptyOf(target)), isMysql: target !== "sqlite" };
  }
  const { databaseUrl, sourceFile } = config;
  if (databaseUrl !== undefined) {
    const script = async (at: MysqlConnection) => steps(await scriptedMysql(at));
    return { steps: await withConnection(databaseUrl, script), isMysql: true };
  }
  if (!existsSync(sourceFile)) return { steps: await steps(scriptedSqlite()), isMysql: false };
  const connection = sqliteConnection(sourceFile, { readOnly: true });
  try {
    return { steps: await steps(scriptedSqlite(connection)), isMysql: false };
  } finally {
    connection.close();
  }
}

/**
 * Reads the schema of a MySQL or MariaDB database, and no row.
 * @throws PipelineError `config_invalid`, `source_unavailable`, `source_rejected`
 */
export async function inventoryOf(url: string): Promise<readonly InventoryTable[]> {
  return await withConnection(url, readInventory);
}

function emptyOf(target: Target): Scripted {
  if (target === "sqlite") return scriptedSqlite();
  const flavour = target === "mariadb" ? mariadbFlavour("") : mysqlFlavour("");
  return emptyMysql(flavour.byteCollation);
}

async function withConnection<T>(
  url: string,
  work: (connection: MysqlConnection) => Promise<T>,
): Promise<T> {
  await using pool = mysqlPool(url);
  const connection = await pool.connect();
  try {
    return await work(connection);
  } finally {
    await connection.release();
  }
}
