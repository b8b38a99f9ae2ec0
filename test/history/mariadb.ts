import { createConnection, type RowDataPacket } from "mysql2/promise";
import { openMysqlLedger } from "../../src/ledger/mysql.ts";
import { canonicalJson, listsOf, type Row, tablesOf } from "../../src/site.ts";
import type { LoadTarget } from "../../src/source/load-target.ts";
import { openMysqlSource } from "../../src/source/mysql-source.ts";
import { openMysqlTarget } from "../../src/source/mysql-target.ts";
import type { Source } from "../../src/source/source.ts";
import { START } from "../pipeline/rows.ts";
import { SITE } from "../pipeline/small-site.ts";
import type { MariaDbAddress } from "../services/mariadb.ts";
import type { Databases } from "./check.ts";
import { plain, sideOf } from "./side.ts";

const TABLES = tablesOf(SITE.kinds);
const LISTS = listsOf(SITE.kinds);

/** Rows and ledgers in databases of their own of a MariaDB server. */
export async function openMariaDb(server: MariaDbAddress): Promise<Databases & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const [url, ledgerUrl] = [await server.createDatabase(), await server.createDatabase()];
  const target = stack.use(await openMysqlTarget(url));
  const source = stack.use(await openMysqlSource({ url, rangeRows: 3 }));
  const ledger = stack.use(await openMysqlLedger(ledgerUrl));
  const database = new URL(ledgerUrl).pathname.slice(1);
  const tables = await tablesIn(server, database);
  // One connection and one round trip for all tables: their number would double the time of a step.
  const connection = await createConnection({ uri: ledgerUrl, multipleStatements: true });
  stack.defer(() => connection.end());
  const empty = tables.map((name) => `DELETE FROM ${name}; `).join("");
  const select = tables.map((name) => `SELECT * FROM ${name}`).join("; ");
  const copied = new Map<string, string>();
  const open = stack.move();
  return {
    source,
    async open() {
      // A new database would take half a second.
      await connection.query(`${empty}INSERT INTO nb_lease VALUES (1, NULL, 0), (4, NULL, 0)`);
      const dump = async () => {
        const [all] = await connection.query<RowDataPacket[][]>(select);
        return JSON.stringify(all.map((rows) => rows.map(plain)));
      };
      return sideOf(ledger, dump);
    },
    copyRows: (from) => copyRows(from, target, copied),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function tablesIn(server: MariaDbAddress, database: string): Promise<readonly string[]> {
  const rows = await server.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? AND table_name LIKE 'nb\\_%'",
    [database],
  );
  return rows.map(({ name }) => `${database}.${name}`).sort();
}

/** Writes the tables that are not as they were copied last. */
async function copyRows(
  from: Source,
  target: LoadTarget,
  copied: Map<string, string>,
): Promise<void> {
  await using rows = await from.read(START);
  const tables = await Promise.all(
    TABLES.map(async (table) => {
      const see = Object.keys(table.columns);
      const wanted = await rows.scan(table, { see, after: undefined, limit: 1000 });
      const inserts = wanted.flatMap(({ row }): readonly Row[] => (row === undefined ? [] : [row]));
      return { table, see, inserts, text: canonicalJson(inserts) };
    }),
  );
  const changed = tables.filter(({ table, text }) => copied.get(table.name) !== text);
  if (changed.length === 0) return;
  await using transaction = await target.begin(TABLES, LISTS);
  for (const { table, see, inserts, text } of changed) {
    const stored = await transaction.rows.scan(table, { see, after: undefined, limit: 1000 });
    const deletes = stored.flatMap(({ key }) => (key === undefined ? [] : [key]));
    await transaction.write(table, { deletes, inserts: [], updates: [] });
    await transaction.write(table, { inserts, updates: [], deletes: [] });
    copied.set(table.name, text);
  }
  await transaction.commit();
}
