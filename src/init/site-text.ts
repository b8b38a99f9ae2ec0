import type { Guess } from "./guess.ts";
import type { ListGuess } from "./list-guess.ts";
import type { PageGuess } from "./page-guess.ts";

/** The site definition as a file of TypeScript. `database` is its name, for the title. */
export function siteText(guesses: readonly Guess[], database: string): string {
  const tables = guesses.map(tableText);
  const lists = guesses.map(listText).filter((text) => text !== "");
  const body = [...tables, ...lists, definition(guesses, database)].join("\n");
  return `${imports(body)}\n${HEAD}\n${body}`;
}

const HEAD = `// Written by \`nightbake init\` from the schema of a database; no row was read. Every page and list below is a
// guess with its reason: keep what is right. \`nightbake doctor\` says what the database lacks for it.
`;

const BUILDERS =
  "bigint bool byMonth defineSite instant int json link list listPage markdown newest one oneOf page path rowPage table text".split(
    " ",
  );

/** Comments name words, too. */
function imports(body: string): string {
  const code = body.replaceAll(/^\s*\/\/.*$/gm, "");
  const used = BUILDERS.filter((name) => new RegExp(`(?<![\\w."'])${name}[(\`<]`).test(code));
  return `import {\n${used.map((name) => `  ${name},\n`).join("")}} from "nightbake";\n`;
}

function tableText({ table, constant, columns, left }: Guess): string {
  const { name, key } = table;
  if (left !== undefined) return `// The table ${line(name)} is left out: ${line(left)}.\n`;
  const declared = [...columns].map(([column, each]) =>
    each.left === undefined
      ? `    ${column}: ${each.code},`
      : `    // ${line(column)} is left out: ${line(each.left)}.`,
  );
  const keyed = key.length === 1 ? JSON.stringify(key[0]) : strings(key);
  return [
    `export const ${constant} = table(${JSON.stringify(name)}, {`,
    `  key: ${keyed},`,
    "  columns: {",
    ...declared,
    "  },",
    "});\n",
  ].join("\n");
}

function listText({ constant: table, table: { key }, page, list }: Guess): string {
  if (typeof page === "string") return "";
  if (typeof list === "string") return `// No list of ${table} by time: ${line(list)}.\n`;
  const code = [
    `const ${list.constant} = list(${table}, {`,
    ...visible(page, "  "),
    `  order: ${strings(list.order)},`,
    `  see: ${strings(list.see)},`,
    `  item: link(${[page.kind, ...key].map((each) => JSON.stringify(each)).join(", ")}),`,
    `  cut: byMonth(${JSON.stringify(list.at)}),`,
    "});",
  ];
  const told = `// ${line(list.at)} says when a row is from. \`nightbake schema --diff\` prints the index.`;
  if (list.mend.length === 0) return `${[told, ...code].join("\n")}\n`;
  const first = list.mend.map((sql) => `// ${line(sql)};`);
  const why =
    "// Columns of lists must compare by bytes. Once this is done, the list and its pages can be taken in:";
  return `${[told, why, ...first, ...code.map(comment)].join("\n")}\n`;
}

function definition(guesses: readonly Guess[], database: string): string {
  const kinds = guesses.flatMap((guess) => [...pageText(guess), ...listPageText(guess)]);
  const shown = guesses.flatMap(({ list }) => (isUsable(list) ? [list] : []));
  const reads = shown.map(({ constant }) => `${constant}: newest(${constant}, 20)`);
  return [
    "export default defineSite({",
    '  origin: "https://example.com",',
    `  title: ${JSON.stringify(database)},`,
    "  pages: {",
    `    home: page({ route: "/", reads: { ${reads.join(", ")} }, template: "home" }),`.replace(
      " reads: {  },",
      "",
    ),
    ...kinds.map((text) => `    ${text}`),
    "  },",
    "});\n",
  ].join("\n");
}

function pageText({ constant, page, left, table }: Guess): readonly string[] {
  if (left !== undefined) return [];
  if (typeof page === "string") return [`// ${line(table.name)} has no pages: ${line(page)}`];
  const { kind, route, see, body, reads, lastmod, notes } = page;
  const parts = route.map((column) => `\${row.${column}}`).join("/");
  const joined = reads.map(
    ({ name, constant: other, key, see: shown }) =>
      `      ${name}: one(${other}, { key: ${JSON.stringify(key)}, see: ${strings([shown])} }),`,
  );
  return [
    ...notes.map((note) => `// ${line(note)}`),
    `${kind}: rowPage(${constant}, {`,
    ...visible(page, "  "),
    `  see: ${strings(see)},`,
    `  route: (row) => path\`/${table.name}/${parts}/\`,`,
    ...(joined.length === 0 ? [] : ["  reads: {", ...joined.map((each) => each.slice(2)), "  },"]),
    ...(body === undefined ? [] : [`  html: { ${body}: markdown(${JSON.stringify(body)}) },`]),
    ...(lastmod === undefined ? [] : [`  lastmod: ${JSON.stringify(lastmod)},`]),
    `  template: ${JSON.stringify(kind)},`,
    "}),",
  ];
}

function listPageText({ list, table }: Guess): readonly string[] {
  if (typeof list === "string") return [];
  const { kind, constant } = list;
  const route = `() => path\`/newest/${table.name}/\``;
  const text = `${JSON.stringify(kind)}: listPage(${constant}, { route: ${route}, template: "lists/newest" }),`;
  return [isUsable(list) ? text : comment(text)];
}

function isUsable(list: Guess["list"]): list is ListGuess {
  return typeof list !== "string" && list.mend.length === 0;
}

function visible({ visible: { show, from, until } }: PageGuess, indent: string): readonly string[] {
  const shown = show.map(([column, code]) => `${column}: ${code}`).join(", ");
  return [
    ...(show.length === 0 ? [] : [`${indent}show: { ${shown} },`]),
    ...(from === undefined ? [] : [`${indent}from: ${JSON.stringify(from)},`]),
    ...(until === undefined ? [] : [`${indent}until: ${JSON.stringify(until)},`]),
  ];
}

function comment(text: string): string {
  return `// ${text}`;
}

function strings(names: readonly string[]): string {
  return `[${names.map((name) => JSON.stringify(name)).join(", ")}]`;
}

/** What comes out of a database may hold anything; in a comment it must not end the line. */
function line(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ");
}
