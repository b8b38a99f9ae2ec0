/** Which tables a statement may have changed. */
export type Reach = "none" | "all" | ReadonlySet<string>;

/** Their text names every table that they change. */
const NAMING = new Set(["CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME", "REPAIR"]);

/** They change no row. `SET` may carry another statement in MariaDB. */
const HARMLESS = new Set([
  "",
  "START",
  "COMMIT",
  "ROLLBACK",
  "SAVEPOINT",
  "RELEASE",
  "GRANT",
  "REVOKE",
  "FLUSH",
  "ANALYZE",
  "OPTIMIZE",
]);

/** Letters, digits and the marks that unquoted names may hold. */
const NAME_PART = "[\\p{L}\\p{N}\\p{M}_$]";

/**
 * Tells which of `tables` a logged statement may have changed. A statement that changes rows may do it
 * by a trigger, a view or a function, so its text does not tell. What names tables is not parsed: a name
 * that stands anywhere in it counts, also as part of a comment. A session `from` another database has to
 * name `schema`, too.
 */
export function reachOf(
  text: string,
  schema: string,
  tables: readonly string[],
  from: string = schema,
): Reach {
  const [first = "", second = ""] = words(text);
  if (first === "XA") return second === "COMMIT" ? "all" : "none";
  if (first === "BEGIN") return isBegin(text) ? "none" : "all";
  if (HARMLESS.has(first)) return "none";
  if (first === "SET") return second === "STATEMENT" ? "all" : "none";
  if (!NAMING.has(first)) return "all";
  if (first === "DROP" && /^(DATABASE|SCHEMA)$/.test(second)) {
    return names(text, schema) ? "all" : "none";
  }
  // Some servers take names of databases for the same whatever their case.
  if (from.toLowerCase() !== schema.toLowerCase() && !names(text, schema)) return "none";
  return new Set(tables.filter((table) => names(text, table)));
}

/** True for what may make other tables, columns or foreign keys in `schema`; `from` is the session's. */
export function isDefinition(text: string, from: string, schema: string): boolean {
  const [first = ""] = words(text);
  return /^(CREATE|ALTER|DROP|RENAME)$/.test(first) && (from === schema || names(text, schema));
}

/** True for what ends a transaction. */
export function isEnd(text: string): boolean {
  return /^(COMMIT|ROLLBACK)$/.test(words(text).join(" "));
}

/** True for what begins one. */
export function isBegin(text: string): boolean {
  return /^(BEGIN|XA START)$/.test(words(text).join(" "));
}

/** The first two words in capitals, without comments before them, which may hold code of their own. */
function words(text: string): readonly string[] {
  let rest = text.trimStart();
  for (;;) {
    const less = rest
      .replace(/^(#|--\s)[^\n]*(\n|$)/, "")
      .replace(/^\/\*M?!\d*/, "")
      .replace(/^\/\*(?!M?!)[\s\S]*?\*\//, "")
      .trimStart();
    if (less === rest) break;
    rest = less;
  }
  return (rest.match(/^[A-Za-z]+(\s+[A-Za-z]+)?/)?.[0] ?? (rest && "?")).toUpperCase().split(/\s+/);
}

function names(text: string, name: string): boolean {
  const quoted = name.replaceAll("`", "``").replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
  return new RegExp(`(?<!${NAME_PART})${quoted}(?!${NAME_PART})`, "iu").test(text);
}
