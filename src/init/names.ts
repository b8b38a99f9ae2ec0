/** What the definition imports, and words that cannot be constants. */
const TAKEN = (
  "appendOnly around bigint bool byDay byMonth byYear contentPages count defineSite firstOf instant int json " +
  "link list listPage markdown newest one oneOf page path redirects refs rowPage sitemap table tag text " +
  "arguments await break case catch class const continue debugger default delete do else enum eval export extends " +
  "false finally for function if implements import in instanceof interface let new null package private protected " +
  "public return static super switch this throw true try typeof undefined var void while with yield"
).split(" ");

/** Kinds of the definition's own; `asset` cannot be one. */
const TAKEN_KINDS = ["asset", "home"];
/** A kind has 32 characters; `newest-` may stand before it, and a number after it. */
const MAX_KIND = 22;

/** Constants of tables and, as `newest TABLE`, of their lists: `blog_posts` → `blogPosts`. No two are equal. */
export function constantsOf(tables: readonly string[]): ReadonlyMap<string, string> {
  return distinct([...tables, ...tables.map((name) => `newest ${name}`)], TAKEN, (name) => {
    const plain = camelCase(name);
    return TAKEN.includes(plain) ? `${plain}Rows` : plain;
  });
}

/** Names of kinds: a-z, 0-9, - and _, beginning with a letter. No two are equal. */
export function kindsOf(tables: readonly string[]): ReadonlyMap<string, string> {
  return distinct(tables, TAKEN_KINDS, (name) => {
    const plain = name.toLowerCase().replaceAll(/^[^a-z]+|[^a-z0-9_]/g, "");
    return plain.slice(0, MAX_KIND) || "rows";
  });
}

function distinct(
  names: readonly string[],
  reserved: readonly string[],
  plainOf: (name: string) => string,
): ReadonlyMap<string, string> {
  const taken = new Set(reserved);
  return new Map(
    names.map((name) => {
      const plain = plainOf(name);
      let own = plain;
      for (let number = 2; taken.has(own); number += 1) own = `${plain}${number}`;
      taken.add(own);
      return [name, own];
    }),
  );
}

function camelCase(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const joined = words
    .map((word, at) => (at === 0 ? word[0]?.toLowerCase() : word[0]?.toUpperCase()) + word.slice(1))
    .join("");
  return /^[A-Za-z]/.test(joined) ? joined : `table${joined}`;
}
