import type { Problem } from "../error.ts";
import { didYouMean } from "../nearest.ts";
import type { ColumnType } from "./columns.ts";
import type { Visible } from "./list.ts";
import { type RouteTemplate, templateFlaw } from "./route.ts";
import type { AnyTable } from "./table.ts";

/** MySQL's limit for identifiers; quoting is not relied on. */
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
/** Types with one order everywhere, so that they can be keys. */
const ORDERED: readonly ColumnType[] = ["int", "bigint", "text", "instant", "oneOf"];

/** Collects problems while a definition is looked through. */
export class Checks {
  readonly problems: Problem[] = [];

  add(place: string, message: string): void {
    this.problems.push({ place, message });
  }

  identifier(place: string, name: string): void {
    if (IDENTIFIER.test(name)) return;
    this.add(place, `"${name}" is no SQL name: letters, digits and _, at most 64, no digit first.`);
  }

  /** The column is declared, and of one of the types where they are given. */
  column(place: string, table: AnyTable, name: string, types?: readonly ColumnType[]): void {
    const column = Object.hasOwn(table.columns, name) ? table.columns[name] : undefined;
    if (column === undefined) {
      const near = didYouMean(name, Object.keys(table.columns));
      this.add(place, `The table ${table.name} has no column ${name}.${near}`);
    } else if (types !== undefined && !types.includes(column.type)) {
      this.add(place, `${table.name}.${name} is ${column.type}; this needs ${types.join(" or ")}.`);
    }
  }

  /** The column is declared, never NULL, and of a type that orders the same everywhere. */
  keyColumn(place: string, table: AnyTable, name: string): void {
    this.column(place, table, name, ORDERED);
    if (table.columns[name]?.isNullable) this.add(place, `${table.name}.${name} may be NULL.`);
  }

  visible(place: string, table: AnyTable, { show = {}, from, until }: Visible): void {
    for (const [column, value] of Object.entries(show)) {
      this.column(`${place}.show`, table, column, [...ORDERED, "bool"]);
      const { type, values = [], isNullable } = table.columns[column] ?? {};
      const isNull = value === null && isNullable;
      if (type === "oneOf" && !isNull && !values.includes(String(value))) {
        this.add(`${place}.show`, `${column} never holds "${value}".`);
      }
    }
    if (from !== undefined) this.column(`${place}.from`, table, from, ["instant"]);
    if (until !== undefined) this.column(`${place}.until`, table, until, ["instant"]);
  }

  /** The route could be served whatever valid values its columns hold. */
  route(place: string, template: RouteTemplate): void {
    const flaw = templateFlaw(template);
    if (flaw !== undefined) this.add(place, flaw);
  }
}
