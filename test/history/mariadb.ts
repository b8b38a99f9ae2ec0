import { openMysqlLedger } from "../../src/ledger/mysql.ts";
import { listsOf, type Row, tablesOf } from "../../src/site.ts";
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
  const source = stack.use(await openMysqlSource({ url }));
  const ledger = stack.use(await openMysqlLedger(ledgerUrl));
  const database = new URL(ledgerUrl).pathname.slice(1);
  const tables = await tablesIn(server, database);
  const open = stack.move();
  return {
    source,
    async open() {
      // A new database would take half a second.
      for (const name of tables) await server.query(`DELETE FROM ${name}`);
      await server.query(`INSERT INTO ${database}.nb_lease VALUES (1, NULL, 0)`);
      const dump = async () => {
        const all = await Promise.all(tables.map((name) => server.query(`SELECT * FROM ${name}`)));
        return JSON.stringify(all.map((rows) => rows.map((row) => plain(row as object))));
      };
      return sideOf(ledger, dump, async () => {});
    },
    copyRows: (from) => copyRows(from, target),
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

async function copyRows(from: Source, target: LoadTarget): Promise<void> {
  await using rows = await from.read(START);
  await using transaction = await target.begin(TABLES, LISTS);
  for (const table of TABLES) {
    const query = { see: Object.keys(table.columns), after: undefined, limit: 1000 };
    const wanted = await rows.scan(table, query);
    const stored = await transaction.rows.scan(table, query);
    const deletes = stored.flatMap(({ key }) => (key === undefined ? [] : [key]));
    const inserts = wanted.flatMap(({ row }): readonly Row[] => (row === undefined ? [] : [row]));
    await transaction.write(table, { deletes, inserts: [], updates: [] });
    await transaction.write(table, { inserts, updates: [], deletes: [] });
  }
  await transaction.commit();
}
