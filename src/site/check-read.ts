import type { Checks } from "./checks.ts";
import type { Column } from "./columns.ts";
import type { AnyRead } from "./read.ts";

type Own = Readonly<Record<string, Column>>;

/** A read's own columns exist and have the types of what they are compared with. */
export function checkOwnRead(
  place: string,
  read: AnyRead,
  own: Own,
  { isFanout }: { readonly isFanout: boolean },
  checks: Checks,
): void {
  if (read.read === "one") {
    const key = read.table.key.map((column) => read.table.columns[column]);
    sameTypes(`${place}.key`, own, read.key, key, checks);
    for (const column of read.see) checks.column(`${place}.see`, read.table, column);
    return;
  }
  const { list, part } = read;
  const columns = list.table.columns;
  const by = list.by === undefined ? [] : [columns[list.by]];
  sameTypes(`${place}.part`, own, part === undefined ? [] : [part], by, checks);
  if (read.read === "around") {
    sameTypes(
      `${place}.at`,
      own,
      read.at,
      list.order.map((column) => columns[column]),
      checks,
    );
  } else if (isFanout && !read.isFanoutAccepted) {
    const instead = read.read === "newest" ? "Use around" : "Count it on one page";
    checks.add(
      place,
      `Every page would change with each new entry of ${list.name}. ${instead}, or say fanout: "accepted".`,
    );
  }
}

function sameTypes(
  place: string,
  own: Own,
  names: readonly string[],
  wanted: readonly (Column | undefined)[],
  checks: Checks,
): void {
  if (names.length !== wanted.length) {
    checks.add(place, `It names ${names.length} columns; ${wanted.length} are needed.`);
  }
  for (const [at, name] of names.entries()) {
    const column = Object.hasOwn(own, name) ? own[name] : undefined;
    const other = wanted[at];
    if (column === undefined) checks.add(place, `This page has no column ${name}.`);
    else if (other !== undefined && other.type !== column.type) {
      checks.add(place, `${name} is ${column.type}, but it is compared with ${other.type}.`);
    }
  }
}
