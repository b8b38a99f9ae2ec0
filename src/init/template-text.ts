import type { DeclaredTable } from "./declared.ts";
import type { Guess } from "./guess.ts";
import type { PageGuess } from "./page-guess.ts";

/** The templates that a guessed definition names: path below `templates/` → text. */
export function templateTexts(guesses: readonly Guess[]): ReadonlyMap<string, string> {
  const pages = guesses.flatMap((guess) =>
    typeof guess.page === "string"
      ? []
      : [[`${guess.page.kind}.eta`, rowTemplate(guess, guess.page)] as const],
  );
  return new Map([
    ["layouts/base.eta", LAYOUT],
    ["home.eta", homeTemplate(guesses)],
    ["lists/newest.eta", newestTemplate(guesses)],
    ...pages,
  ]);
}

const LAYOUT = `<!DOCTYPE html>
<html lang="<%= it.site.lang %>">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title><%= it.title ?? it.site.title %></title>
<link rel="canonical" href="<%= url(it.route) %>">
</head>
<body>
<h1><%= it.title ?? it.site.title %></h1>
<%~ it.body %>
</body>
</html>
`;

function homeTemplate(guesses: readonly Guess[]): string {
  const lists = guesses.flatMap(({ list, page, table }) => {
    if (typeof list === "string" || typeof page === "string" || list.mend.length > 0) return [];
    return [
      `<h2>${table.name}</h2>\n${entries(`it.${list.constant}`, page.title)}` +
        `<p><a href="<%= href("/newest/${table.name}/") %>">More</a></p>\n`,
    ];
  });
  return `<% layout("layouts/base") -%>\n${lists.join("")}`;
}

/** One template for all lists, whose entries are called differently. */
function newestTemplate(guesses: readonly Guess[]): string {
  const titles = guesses.flatMap(({ page }) => (typeof page === "string" ? [] : page.title));
  const names = [...new Set(titles)].map((name) => `entry.${name}`);
  const title = [...names, '"Untitled"'].join(" ?? ");
  return `<% layout("layouts/base", { title: it.window === undefined ? "Newest" : it.window.name }) -%>
<ul>
<% for (const entry of it.entries) { -%>
<li><a href="<%= entry.href %>"><%= ${title} %></a></li>
<% } -%>
</ul>
<% for (const { name, href } of it.window === undefined ? it.archive : []) { -%>
<p><a href="<%= href %>"><%= name %></a></p>
<% } -%>
`;
}

function entries(list: string, title: string): string {
  return `<ul>
<% for (const entry of ${list}) { -%>
<li><a href="<%= entry.href %>"><%= entry.${title} ?? "Untitled" %></a></li>
<% } -%>
</ul>
`;
}

function rowTemplate(declared: DeclaredTable, page: PageGuess): string {
  const fields = page.see
    .filter((name) => name !== page.title && name !== page.body)
    .map((name) => `<dt>${name}</dt><dd>${field(declared, name)}</dd>\n`);
  const joined = page.reads.map(
    ({ name, see }) => `<dt>${name}</dt><dd><%= it.${name}?.${see} ?? "" %></dd>\n`,
  );
  const body = page.body === undefined ? "" : `<%~ it.html.${page.body} %>\n`;
  return `<% const { row } = it -%>
<% layout("layouts/base", { title: row.${page.title} ?? "Untitled" }) -%>
${body}<dl>
${[...fields, ...joined].join("")}</dl>
`;
}

/** Templates print text and numbers. */
function field({ columns }: DeclaredTable, name: string): string {
  const column = columns.get(name);
  const builder = column?.left === undefined ? column?.builder : undefined;
  if (builder === "bool") return `<%= row.${name} ? "yes" : "no" %>`;
  if (builder === "json") return `<%= JSON.stringify(row.${name}) %>`;
  if (builder === "instant") return `<%= row.${name} === null ? "" : time(row.${name}) %>`;
  return `<%= row.${name} ?? "" %>`;
}
