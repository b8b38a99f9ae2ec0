import { type Flavour, flavourOf } from "./flavour.ts";
import type { InventoryColumn, InventoryTable } from "./inventory.ts";
import { collationAlters } from "./mysql-alter.ts";
import type { MysqlConnection } from "./mysql-connection.ts";
import { mysqlStorage } from "./mysql-storage.ts";
import type { StoredColumn, StoredTable } from "./stored.ts";

type Rows = readonly (readonly unknown[])[];

const TABLES = `SELECT table_name FROM information_schema.tables
  WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name`;

const COLUMNS = `SELECT table_name, column_name, character_maximum_length, extra
  FROM information_schema.columns WHERE table_schema = DATABASE()`;

const UNIQUE = `SELECT table_name, index_name, column_name FROM information_schema.statistics
  WHERE table_schema = DATABASE() AND non_unique = 0 AND sub_part IS NULL
  ORDER BY table_name, index_name, seq_in_index`;

const REFERENCES = `SELECT table_name, constraint_name, column_name, referenced_table_name, referenced_column_name
  FROM information_schema.key_column_usage
  WHERE table_schema = DATABASE() AND referenced_table_schema = DATABASE()
  ORDER BY table_name, constraint_name, ordinal_position`;

const JSON_CHECKS = `SELECT table_name, check_clause FROM information_schema.check_constraints
  WHERE constraint_schema = DATABASE()`;

/** Reads the schema of the connection's database, and no row; tables by name. */
export async function readInventory(
  connection: MysqlConnection,
): Promise<readonly InventoryTable[]> {
  const flavour = await flavourOf(connection);
  const names = (await connection.all(TABLES)).map(([name]) => String(name));
  const storage = mysqlStorage(connection);
  const stored = await storage.describe(names);
  const [columns, unique, references, checks] = [
    await connection.all(COLUMNS),
    await connection.all(UNIQUE),
    await connection.all(REFERENCES),
    flavour.name === "mariadb" ? await connection.all(JSON_CHECKS) : [],
  ];
  const tables: InventoryTable[] = [];
  for (const name of names) {
    const found = stored.get(name);
    if (found === undefined) continue;
    const own = (rows: Rows) => rows.filter((each) => each[0] === name);
    const flawed = [...found.columns].flatMap(([column, each]) =>
      storage.orderFlaw(name, column, each) === undefined ? [] : column,
    );
    const alters = await altersOf(connection, { table: name, columns: flawed, flavour });
    tables.push({
      ...found,
      name,
      columns: described(found, { columns: own(columns), checks: own(checks), alters }),
      unique: grouped(own(unique)).map((each) => each.map((row) => String(row[2]))),
      references: grouped(own(references)).flatMap((each) =>
        each.length === 1
          ? each.map(([, , column, table, key]) => reference(column, table, key))
          : [],
      ),
    });
  }
  return tables;
}

/** What mends the order of columns; names that no definition can hold go into no statement. */
async function altersOf(
  connection: MysqlConnection,
  of: { readonly table: string; readonly columns: readonly string[]; readonly flavour: Flavour },
): Promise<ReadonlyMap<string, string>> {
  const { table, flavour } = of;
  const columns = of.columns.filter((name) => /^\w+$/.test(name));
  if (columns.length === 0 || !/^\w+$/.test(table)) return new Map();
  const alter = await collationAlters(connection, table, flavour);
  return new Map(columns.map((name) => [name, alter([name]) ?? `a byte collation for ${name}`]));
}

interface Around {
  readonly columns: Rows;
  readonly checks: Rows;
  readonly alters: ReadonlyMap<string, string>;
}

function described({ columns }: StoredTable, around: Around): ReadonlyMap<string, InventoryColumn> {
  const clauses = around.checks.map(([, clause]) => String(clause));
  const describe = (name: string, stored: StoredColumn): InventoryColumn => {
    const [, , max, extra] = around.columns.find((each) => each[1] === name) ?? [];
    return {
      ...stored,
      max: max === null || max === undefined ? undefined : Number(max),
      isAutoIncrement: /auto_increment/i.test(String(extra)),
      isJson: stored.type === "json" || clauses.includes(`json_valid(\`${name}\`)`),
      collate: around.alters.get(name),
    };
  };
  return new Map([...columns].map(([name, stored]) => [name, describe(name, stored)]));
}

function grouped(rows: Rows): readonly Rows[] {
  return [...Map.groupBy(rows, (each) => each[1]).values()];
}

function reference(column: unknown, table: unknown, key: unknown) {
  return { column: String(column), table: String(table), key: String(key) };
}
