import type { AnyList, AnyTable } from "../site.ts";
import { backfillSql, type Unnesting } from "./backfill.ts";
import { quote } from "./dialect.ts";
import { columnSql, missingSchema, type SchemaDialect } from "./schema.ts";
import { type Difference, differences, type Storage } from "./stored.ts";

/** One statement of a script, and why it is there. */
export interface ScriptStep {
  /** A table, or `TABLE.COLUMN`. */
  readonly place: string;
  /** A full sentence. */
  readonly why: string;
  /** Without a semicolon; undefined where no one statement does it. */
  readonly sql: string | undefined;
  /** It may lose values, or fail where rows do not fit, so somebody must look at it first. */
  readonly isRisky: boolean;
}

/** A database to write a script for. */
export interface Scripted {
  readonly schema: SchemaDialect;
  readonly storage: Storage;
  readonly unnesting: Unnesting;
  /** Whether a table that exists holds no row. */
  isEmpty(table: AnyTable): Promise<boolean>;
  /** What makes columns of a table compare by bytes; undefined where no one statement does it. */
  collate(table: AnyTable, columns: readonly string[]): Promise<string | undefined>;
  /** Whether columns and keys of tables can be altered. */
  readonly hasAlter: boolean;
}

/** A database that holds nothing yet. */
export const NOTHING_STORED: Storage = {
  describe: async () => new Map(),
  fits: () => true,
  orderFlaw: () => undefined,
};

/**
 * The statements that make a database what the site declares, in the order in which to run them:
 * tables, columns, collations, keys, indexes, then the rows of listing tables that are missing or empty.
 * Nothing is run; a database that is as declared needs none.
 */
export async function schemaScript(
  scripted: Scripted,
  tables: readonly AnyTable[],
  lists: readonly AnyList[],
): Promise<readonly ScriptStep[]> {
  const { schema, storage } = scripted;
  const found = await differences(storage, tables, lists);
  const created = (await missingSchema(schema, storage, tables, lists)).map((each) => ({
    ...each,
    place: each.table.name,
    isRisky: false,
    why: each.is === "table" ? "The table is missing." : "A list needs an index.",
  }));
  return [
    ...created.filter(({ is }) => is === "table").map(step),
    ...found.flatMap((each) => alteration(scripted, lists, each) ?? []),
    ...(await collations(scripted, found)),
    ...created.filter(({ is }) => is === "index").map(step),
    ...(await backfills(scripted, tables, found)),
  ];
}

function step({ place, why, sql, isRisky }: ScriptStep): ScriptStep {
  return { place, why, sql, isRisky };
}

/** Undefined for what is created, or told with other columns of its table. */
function alteration(
  { schema, hasAlter }: Scripted,
  lists: readonly AnyList[],
  { is, table, column = "", place, message }: Difference,
): ScriptStep | undefined {
  if (is === "no table" || is === "order") return undefined;
  const name = (text: string) => quote(schema.dialect, text);
  const alter = `ALTER TABLE ${name(table.name)}`;
  if (is === "key") {
    const key = table.key.map(name).join(", ");
    const sql = hasAlter ? `${alter} DROP PRIMARY KEY, ADD PRIMARY KEY (${key})` : undefined;
    return { place, why: message, sql, isRisky: true };
  }
  const defined = columnSql(schema, table, lists, column);
  if (is === "type") {
    return {
      place,
      why: message,
      sql: hasAlter ? `${alter} MODIFY ${defined}` : undefined,
      isRisky: true,
    };
  }
  const isNullable = table.columns[column]?.isNullable === true;
  const why = isNullable ? message : `${message} Rows that are there need a value of their own.`;
  return { place, why, sql: `${alter} ADD COLUMN ${defined}`, isRisky: !isNullable };
}

/** One statement a table, since each copies it. */
async function collations(
  { collate }: Scripted,
  found: readonly Difference[],
): Promise<readonly ScriptStep[]> {
  const byTable = Map.groupBy(
    found.filter(({ is }) => is === "order"),
    ({ table }) => table,
  );
  const steps = [...byTable].map(async ([table, flaws]) => {
    const columns = flaws.flatMap(({ column }) => column ?? []);
    const why = `Key and list columns must compare by bytes: ${columns.join(", ")}.`;
    return { place: table.name, why, sql: await collate(table, columns), isRisky: false };
  });
  return await Promise.all(steps);
}

async function backfills(
  { unnesting, isEmpty }: Scripted,
  tables: readonly AnyTable[],
  found: readonly Difference[],
): Promise<readonly ScriptStep[]> {
  const missing = new Set(found.flatMap(({ is, table }) => (is === "no table" ? table : [])));
  const steps: ScriptStep[] = [];
  for (const table of tables) {
    const { fill, name: place } = table;
    if (fill === undefined) continue;
    const isNew = missing.has(table);
    if (!isNew && !(await isEmpty(table))) continue;
    const why = `${isNew ? "A new" : "An empty"} listing table is filled from ${fill.of.name}.`;
    steps.push({ place, why, sql: backfillSql(unnesting, table, fill), isRisky: false });
  }
  return steps;
}
