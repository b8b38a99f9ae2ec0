import type { AnyTable } from "../site.ts";
import { rowDecoder } from "./decode.ts";
import { type Dialect, quote } from "./dialect.ts";
import type { RowRanges } from "./source.ts";
import { rangeStatement } from "./sql.ts";
import type { Snapshot } from "./sql-rows.ts";
import type { Storage, StoredColumn } from "./stored.ts";

/** Rows of one range: as many as a scan fetches at a time. */
const SIZE = 500;

/** Sums rows up in the server, in the snapshot's moment; `storage` tells how they are stored. */
export function mysqlRanges(snapshot: Snapshot, storage: Storage, size = SIZE): RowRanges {
  const { dialect } = snapshot;
  const shapes = new Map<string, ReadonlyMap<string, StoredColumn>>();
  const shapeOf = async ({ name }: AnyTable) => {
    const shape = shapes.get(name) ?? (await storage.describe([name])).get(name)?.columns;
    if (shape !== undefined) shapes.set(name, shape);
    return shape;
  };
  return {
    size,
    async sums(table, see, ranges) {
      const { columns } = rowDecoder(table, see, dialect);
      const shape = await shapeOf(table);
      const stored = columns.map((name) => {
        const { fullType, collation } = shape?.get(name) ?? {};
        return [name, fullType, collation].join(" ");
      });
      const computed = ["COUNT(*)", sumOf(dialect, columns)];
      const built = ranges.map((each) => rangeStatement(dialect, table, computed, each));
      return (await snapshot.many(built)).map(([row]) => {
        const [rows, sum] = row ?? [];
        return { rows: Number(rows), text: [rows, sum, ...stored].join("\n") };
      });
    },
  };
}

/**
 * 64 bits of each row's MD5, added without carry, so that the order of rows does not matter. CRC32
 * would be quicker and cancels itself out: two rows that swap values would add up to the same. A row
 * too long for a packet has no MD5; it never adds up to the same.
 */
function sumOf(dialect: Dialect, columns: readonly string[]): string {
  const values = columns.map((name) => encoded(quote(dialect, name)));
  const row = `IFNULL(MD5(CONCAT(${values.join(", ")})), MD5(RAND()))`;
  return `HEX(BIT_XOR(CAST(CONV(LEFT(${row}, 16), 16, 10) AS UNSIGNED)))`;
}

/**
 * A value with its length before it, so that no two rows read the same: without lengths `a#` and `b`
 * would be `a` and `#b`. As bytes, since columns of several collations cannot stand in one text.
 */
function encoded(column: string): string {
  return `IFNULL(CONCAT(LENGTH(${column}), ':', CAST(${column} AS BINARY)), 'N')`;
}
