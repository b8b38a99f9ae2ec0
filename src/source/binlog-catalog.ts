import type { RowImages } from "./binlog-event.ts";
import type { Followed } from "./feed.ts";
import type { MysqlConnection } from "./mysql-connection.ts";

/** What the log does not tell of the tables it is about. */
export interface FollowedCatalog {
  /** The database that holds the followed tables. */
  readonly schema: string;
  /** `data_type` by `table.column`, of followed tables. */
  readonly types: ReadonlyMap<string, string>;
  /**
   * By `schema.table`: followed tables whose rows change with a row there. A log holds nothing of what
   * foreign keys do (MariaDB, MySQL before 9.6).
   */
  readonly cascades: ReadonlyMap<string, readonly Cascade[]>;
}

/** A change of a row that a foreign key may hand on. */
export interface Cascade {
  /** A followed table. */
  readonly child: string;
  /** True when it may hand on what happened to this row of the parent. */
  reaches(images: RowImages): boolean;
}

/** One foreign key. */
interface ForeignKey {
  readonly child: string;
  /** `schema.table` */
  readonly parent: string;
  readonly columns: readonly string[];
  readonly onUpdate: boolean;
  readonly onDelete: boolean;
}

/** Reads the catalog of the connection's database; foreign keys between its tables only. */
export async function readFollowedCatalog(
  connection: MysqlConnection,
  followed: readonly Followed[],
): Promise<FollowedCatalog> {
  const [[schema] = []] = await connection.all("SELECT DATABASE()");
  const columns = await connection.all(
    `SELECT CONCAT(table_name, '.', column_name), data_type FROM information_schema.columns
     WHERE table_schema = DATABASE()`,
  );
  const names = followed.map(({ table }) => table.name);
  const keys = await readForeignKeys(connection);
  return {
    schema: String(schema),
    types: new Map(columns.map(([name, type]) => [String(name), String(type).toLowerCase()])),
    cascades: cascadesTo(names, keys, String(schema)),
  };
}

/**
 * Who may only read sees no rules in the information schema, but in the text of the child. A rule that
 * cannot be seen there either is taken for one that hands on.
 */
async function readForeignKeys(connection: MysqlConnection): Promise<readonly ForeignKey[]> {
  const columns = await connection.all(
    `SELECT table_name, constraint_name, CONCAT(referenced_table_schema, '.', referenced_table_name),
       referenced_column_name
     FROM information_schema.key_column_usage
     WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL`,
  );
  const keys: ForeignKey[] = [];
  for (const [child, own] of Map.groupBy(columns, ([table]) => String(table))) {
    const [[, text = ""] = []] = await connection.all(`SHOW CREATE TABLE ${quoted(child)}`);
    for (const [name, parts] of Map.groupBy(own, (each) => String(each[1]))) {
      const rule = String(text)
        .split("\n")
        .find((line) => line.includes(`CONSTRAINT ${quoted(name)} `));
      keys.push({
        child,
        parent: String(parts[0]?.[2]),
        columns: parts.map((each) => String(each[3])),
        onUpdate: rule === undefined || / ON UPDATE (CASCADE|SET )/.test(rule),
        onDelete: rule === undefined || / ON DELETE (CASCADE|SET )/.test(rule),
      });
    }
  }
  return keys;
}

function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** Every way from a parent down to a followed table; what is handed on once may be handed on again. */
function cascadesTo(
  followed: readonly string[],
  keys: readonly ForeignKey[],
  schema: string,
): FollowedCatalog["cascades"] {
  const handing = keys.filter(({ onUpdate, onDelete }) => onUpdate || onDelete);
  const below = (parent: string, seen: ReadonlySet<string>): ReadonlySet<string> =>
    handing
      .filter((key) => key.parent === `${schema}.${parent}` && !seen.has(key.child))
      .reduce((all, { child }) => all.union(below(child, all.union(new Set([child])))), seen);
  const cascades = handing.flatMap((key) =>
    [...below(key.child, new Set([key.child]))]
      .filter((child) => followed.includes(child))
      .map((child) => ({ parent: key.parent, child, reaches: reachesBy(key) })),
  );
  return Map.groupBy(cascades, ({ parent }) => parent);
}

function reachesBy({ columns, onUpdate, onDelete }: ForeignKey): Cascade["reaches"] {
  return ({ before, after }) => {
    if (before === undefined) return false;
    if (after === undefined) return onDelete;
    // What is not logged may have changed.
    const isKept = (name: string) =>
      name in before && name in after && isSame(before[name], after[name]);
    return onUpdate && !columns.every(isKept);
  };
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || (Buffer.isBuffer(a) && Buffer.isBuffer(b) && a.equals(b));
}
