import { EMPTY_CATALOG } from "./mysql-catalog.ts";
import { mysqlDialect } from "./mysql-dialect.ts";
import type { SchemaDialect } from "./schema.ts";

/** Longer text is LONGTEXT: the columns of a row share 65,535 bytes. */
const MAX_VARCHAR = 1000;

/** Tables of MySQL and MariaDB; `collation` is the one that compares by bytes there. */
export function mysqlSchema(collation: string): SchemaDialect {
  const text = (type: string) => `${type} CHARACTER SET utf8mb4 COLLATE ${collation}`;
  return {
    dialect: mysqlDialect(EMPTY_CATALOG),
    typeOf({ type, values }, max) {
      if (type === "text") {
        return text(max !== undefined && max <= MAX_VARCHAR ? `VARCHAR(${max})` : "LONGTEXT");
      }
      if (type === "oneOf")
        return text(`VARCHAR(${Math.max(...values.map((each) => each.length))})`);
      return {
        int: "BIGINT",
        bigint: "BIGINT",
        bool: "TINYINT",
        instant: "DATETIME(6)",
        json: "JSON",
      }[type];
    },
    tableOptions: ` ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`,
  };
}
