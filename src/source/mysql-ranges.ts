import type { AnyTable } from "../site.ts";
import { rowDecoder } from "./decode.ts";
import { quote } from "./dialect.ts";
import type { RowRanges } from "./source.ts";
import { rangeStatement } from "./sql.ts";
import type { Snapshot } from "./sql-rows.ts";
import type { Storage, StoredColumn } from "./stored.ts";

/** Rows of one range: as many as a scan fetches at a time. */
const SIZE = 500;

/** Types of columns whose values may be long. */
const LONG = /text$|^json$|blob$/;

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
      const isLong = (name: string) => LONG.test(shape?.get(name)?.type ?? "");
      const values = columns.map((name) => {
        const column = quote(dialect, name);
        return isLong(name) ? hashed(column) : encoded(column);
      });
      const computed = ["COUNT(*)", sumOf(values)];
      const built = ranges.map((each) => rangeStatement(dialect, table, computed, each));
      return (await snapshot.many(built)).map(([row]) => {
        const [rows, sum] = row ?? [];
        return { rows: Number(rows), text: [rows, sum, ...stored].join("\n") };
      });
    },
  };
}

/**
 * 64 bits of each row's SHA, added without carry, so that the order of rows does not matter. CRC32
 * would be quicker and cancels itself out: two rows that swap values would add up to the same. A row
 * too long for a packet has no hash; it never adds up to the same. MD5 takes longer, by half where
 * processors have instructions for SHA.
 */
function sumOf(values: readonly string[]): string {
  const row = `IFNULL(${sha(`CONCAT(${values.join(", ")})`)}, ${sha("RAND()")})`;
  return `HEX(BIT_XOR(CAST(CONV(LEFT(${row}, 16), 16, 10) AS UNSIGNED)))`;
}

/**
 * A value with its length before it, so that no two rows read the same: without lengths `a#` and `b`
 * would be `a` and `#b`. As bytes, since columns of several collations cannot stand in one text.
 */
function encoded(column: string): string {
  return `IFNULL(CONCAT(LENGTH(${column}), ':', CAST(${column} AS BINARY)), 'N')`;
}

/** SHA-1 in MariaDB. MySQL has had none since 9.6; comments with 80000 are MySQL's, those with M MariaDB's. */
function sha(value: string): string {
  return `/*M! SHA1(*/ /*!80000 SHA2(*/ ${value} /*!80000 , 224 */)`;
}

/** Of a fixed length, and a long text is not copied for it: a row of 4 KB takes a third less. */
function hashed(column: string): string {
  return `IFNULL(${sha(column)}, 'N')`;
}
