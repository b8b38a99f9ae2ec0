import { type DeclaredTable, isDeclared, isPresent, namesOf } from "./declared.ts";
import { guessVisible, type VisibleGuess } from "./visible-guess.ts";
import { BODY, PERSONAL, SECRET, SLUG, TITLE, UPDATED } from "./words.ts";

/** A page for each row of a table. */
export interface PageGuess {
  /** Name in the definition: `posts`. */
  readonly kind: string;
  /** Columns in its route. */
  readonly route: readonly string[];
  /** The column that names a row to people. */
  readonly title: string;
  readonly see: readonly string[];
  readonly visible: VisibleGuess;
  /** A column of Markdown or HTML. */
  readonly body: string | undefined;
  readonly reads: readonly JoinGuess[];
  readonly lastmod: string | undefined;
  /** Reasons, one a line. */
  readonly notes: readonly string[];
}

/** A row that a page joins by a column of its own. */
export interface JoinGuess {
  readonly name: string;
  readonly constant: string;
  readonly key: string;
  readonly see: string;
}

/** What templates find under these names is no joined row. */
const OWN_DATA = ["site", "route", "row", "html", "hrefs", "body", "window", "entries"];

/** Guesses the pages of a table; a text says why there are none. */
export function guessPage(
  tables: ReadonlyMap<string, DeclaredTable>,
  declared: DeclaredTable,
): PageGuess | string {
  const { table } = declared;
  const names = namesOf(declared);
  const secret = [...table.columns.keys()].find((name) => SECRET.test(name));
  if (secret !== undefined) return `${secret} looks like a secret, so it may not be for readers`;
  const collate = table.key.flatMap((name) => table.columns.get(name)?.collate ?? []);
  if (collate.length > 0) return `its key does not compare by bytes; mend it with: ${collate[0]};`;
  const slug = names.find((name) => SLUG.test(name) && isOwnRoute(declared, name));
  const title =
    names.find((name) => TITLE.test(name) && isDeclared(declared, name, "text")) ?? slug;
  if (title === undefined) return "it has no title, name or slug, so it may not be for readers";
  const visible = guessVisible(declared);
  if (typeof visible === "string") return visible;
  const hidden = names.filter((name) => PERSONAL.test(name));
  if (slug === undefined && hidden.length > 0) {
    return `${hidden.join(", ")} looks as if its rows were people, and it has no slug`;
  }
  const reads = joins(tables, declared);
  const body = names.find(
    (name) => BODY.test(name) && isDeclared(declared, name, "text") && name !== title,
  );
  const see = names.filter((name) => !hidden.includes(name) && !visible.columns.includes(name));
  const route = slug === undefined ? table.key : [slug];
  return {
    kind: declared.kind,
    route,
    title,
    see: [...new Set([title, ...see])],
    visible,
    body,
    reads,
    lastmod: names.find((name) => UPDATED.test(name) && isPresent(declared, name, "instant")),
    notes: [
      slug === undefined
        ? `No unique slug was found, so the route is made of the key (${table.key.join(", ")}).`
        : `${slug} is unique, so it is the route.`,
      ...(hidden.length === 0
        ? []
        : [`Left out, as it may be about a person: ${hidden.join(", ")}.`]),
      ...visible.notes,
    ],
  };
}

function isOwnRoute(declared: DeclaredTable, name: string): boolean {
  const isUnique = declared.table.unique.some((each) => each.join() === name);
  return isUnique && isPresent(declared, name, "text");
}

/** Foreign keys to tables whose rows have a name to show. */
function joins(
  tables: ReadonlyMap<string, DeclaredTable>,
  { table, columns }: DeclaredTable,
): readonly JoinGuess[] {
  const names = new Set(OWN_DATA);
  return table.references.flatMap(({ column, table: to, key }) => {
    const other = tables.get(to);
    const own = columns.get(column);
    if (other === undefined || other.left !== undefined || own?.left !== undefined) return [];
    const isKey = other.table.key.join() === key;
    const isBytes = other.table.columns.get(key)?.collate === undefined;
    const see = namesOf(other).find((each) => TITLE.test(each) && !PERSONAL.test(each));
    if (!isKey || !isBytes || see === undefined) return [];
    const plain = column.replace(/_(id|key|handle|slug|code)$/i, "");
    const name = names.has(plain) ? `${plain}_row` : plain;
    if (names.has(name)) return [];
    names.add(name);
    return [{ name, constant: other.constant, key: column, see }];
  });
}
