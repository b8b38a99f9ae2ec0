import type { Problem } from "../error.ts";
import { checkHeaders } from "./caching.ts";
import { checkList } from "./check-list.ts";
import { checkOwnRead } from "./check-read.ts";
import { Checks } from "./checks.ts";
import type { Site } from "./define.ts";
import type { AnyList } from "./list.ts";
import type { Kind, ListKind, RowKind } from "./page.ts";
import type { AnyTable } from "./table.ts";
import { listsOf, tablesOf } from "./uses.ts";

/** Every problem of a site definition that types cannot show, with its place. */
export function siteProblems(site: Site): readonly Problem[] {
  const checks = new Checks();
  checkOrigin(site.origin, checks);
  for (const table of tablesOf(site.kinds)) checkTable(table, checks);
  const lists = listsOf(site.kinds);
  for (const list of lists) checkList(list, site.kinds, checks);
  for (const [name, same] of Map.groupBy(lists, (list) => list.name)) {
    if (same.length > 1) checks.add(`list ${name}`, "Two lists have this name; give one `name`.");
  }
  for (const kind of site.kinds) checkKind(kind, checks);
  for (const { name } of site.kinds.filter(({ is }) => is === "redirect").slice(1)) {
    checks.add(`pages.${name}`, "A site has one kind of redirect pages.");
  }
  return checks.problems;
}

function checkOrigin(origin: string, checks: Checks): void {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.origin !== origin) {
    checks.add(
      "origin",
      `It must be a scheme and a host, like https://example.com, not "${origin}".`,
    );
  }
}

function checkTable(table: AnyTable, checks: Checks): void {
  const place = `table ${table.name}`;
  checks.identifier(place, table.name);
  for (const column of Object.keys(table.columns)) checks.identifier(`${place}.${column}`, column);
  for (const column of table.key) checks.keyColumn(`${place}.key`, table, column);
  if (table.fill !== undefined) {
    checks.column(`${place}.fill.each`, table.fill.of, table.fill.each, ["json"]);
    checks.column(`${place}.fill.as`, table, table.fill.as);
    for (const [to, from] of Object.entries(table.fill.copy)) {
      checks.column(`${place}.fill.copy`, table, to);
      checks.column(`${place}.fill.copy.${to}`, table.fill.of, from);
    }
  }
}

function checkKind(kind: Kind, checks: Checks): void {
  const place = `pages.${kind.name}`;
  if (!/^[a-z][a-z0-9_-]{0,31}$/.test(kind.name) || kind.name === "asset") {
    checks.add(
      place,
      "A kind's name is up to 32 of a-z, 0-9, - and _, begins with a letter and is not asset.",
    );
  }
  checkHeaders(kind, place, checks);
  if (kind.is === "row") checkRowKind(kind, place, checks);
  if (kind.is === "list") checkListKind(kind, place, checks);
  if (kind.is === "single") {
    checks.route(`${place}.route`, { literals: [kind.route], columns: [] });
    for (const [name, read] of Object.entries(kind.reads)) {
      checkOwnRead(`${place}.reads.${name}`, read, {}, { isFanout: false }, checks);
    }
  }
  if (kind.is === "sitemap" && !/^\/.*\.xml$/.test(kind.route)) {
    checks.add(`${place}.route`, "A sitemap's route begins with / and ends with .xml.");
  }
  if (kind.is === "redirect" && kind.list !== undefined) checkRedirects(kind.list, place, checks);
  if (kind.is === "content" && !/^[\w-]+$/.test(kind.folder)) {
    checks.add(`${place}.folder`, "It is the name of one folder below content/.");
  }
}

/** Whatever is wrong with a single column is found with its list. */
function checkRedirects({ table, by, order: [from = ""] }: AnyList, place: string, checks: Checks) {
  checks.column(`${place}.table.from`, table, from, ["text"]);
  checks.column(`${place}.table.to`, table, by ?? "", ["text"]);
  if (table.key.join() !== from) {
    checks.add(`${place}.table.from`, `The key of ${table.name} is (${table.key.join(", ")}).`);
  }
}

function checkRowKind(kind: RowKind, place: string, checks: Checks): void {
  const { table, route, links, reads, html, tags, see, lastmod } = kind;
  for (const column of see) checks.column(`${place}.see`, table, column);
  for (const column of route.columns) checks.keyColumn(`${place}.route`, table, column);
  if (route.columns.length === 0)
    checks.add(`${place}.route`, "All its pages would have one route.");
  if (!/(?:\/|\.[a-z0-9]+)$/.test(route.literals.at(-1) ?? "")) {
    // Else a slug like "x.js" would decide what its page is served as.
    checks.add(`${place}.route`, "It ends with a slash or an extension of its own.");
  }
  checks.route(`${place}.route`, route);
  for (const [name, link] of Object.entries(links)) {
    for (const column of link.columns) checks.column(`${place}.links.${name}`, table, column);
  }
  for (const { column } of tags) checks.column(`${place}.tags`, table, column);
  for (const { column } of Object.values(html)) {
    checks.column(`${place}.html`, table, column, ["text"]);
  }
  if (lastmod !== undefined) checks.column(`${place}.lastmod`, table, lastmod, ["instant"]);
  checks.visible(place, table, kind.visible);
  for (const [name, read] of Object.entries(reads)) {
    checkOwnRead(`${place}.reads.${name}`, read, table.columns, { isFanout: true }, checks);
  }
}

function checkListKind(kind: ListKind, place: string, checks: Checks): void {
  const { list, route, reads } = kind;
  checks.route(`${place}.route`, route);
  if ((list.by === undefined) !== (route.columns.length === 0)) {
    const message =
      list.by === undefined
        ? `The list ${list.name} is one, so its route has no part in it.`
        : `The list ${list.name} has a page for each ${list.by}, so its route needs it.`;
    checks.add(`${place}.route`, message);
  }
  if (!route.literals.at(-1)?.endsWith("/")) {
    checks.add(`${place}.route`, "A list's route ends with /, as its archive lies below it.");
  }
  const by = list.by === undefined ? undefined : list.table.columns[list.by];
  for (const [name, read] of Object.entries(reads)) {
    const own = by === undefined ? {} : { part: by };
    checkOwnRead(`${place}.reads.${name}`, read, own, { isFanout: true }, checks);
  }
}
