import { randomUUID } from "node:crypto";
import { PipelineError, type Problem } from "../error.ts";
import type { Former, Ledger } from "../ledger/ledger.ts";
import { IMPORTED } from "../plan/basis.ts";
import { redirectTarget } from "../plan/redirect-pages.ts";
import { encodeKey, type Key, redirectKind, routeFlaw, type Site } from "../site.ts";
import { keyFromJson, keyToJson } from "./json-key.ts";
import type { Wired } from "./run.ts";

/** Lines read from the ledger at a time. */
const BATCH = 1000;
/** Problems of one import that are told. */
const MAX_PROBLEMS = 20;

/**
 * The route history as NDJSON, one former route a line, in the order of their bytes:
 * `{"from":"/articles/x/","kind":"article","key":[42]}`. Lines end with a line feed. It is an input
 * of a build, as rows are: a build from scratch that imported it makes the same redirects.
 */
export async function* exportHistory(ledger: Ledger): AsyncGenerator<string> {
  let after: string | undefined;
  for (;;) {
    const batch = await ledger.former(after, BATCH);
    for (const { route: from, kind, key } of batch) {
      yield `${JSON.stringify({ from, kind, key: keyToJson(key) })}\n`;
    }
    if (batch.length < BATCH) return;
    after = batch.at(-1)?.route;
  }
}

/** The redirect pages that are live, in the order of their routes' bytes, and where each leads. */
export async function* liveRedirects({
  ledger,
  site,
}: Pick<Wired, "ledger" | "site">): AsyncGenerator<{ readonly from: string; readonly to: string }> {
  const kind = redirectKind(site.kinds);
  if (kind === undefined) throw withoutRedirects();
  let after: Uint8Array | undefined;
  for (;;) {
    const batch = await ledger.live(kind.name, after, BATCH);
    for (const page of batch) yield { from: page.route, to: redirectTarget(page) };
    if (batch.length < BATCH) return;
    after = batch.at(-1)?.key;
  }
}

/**
 * Adds what {@link exportHistory} gave to a ledger's route history, all or nothing; routes that a
 * page has are left out. The next build looks at every redirect. Safe to run again.
 * @returns how many lines there were
 * @throws PipelineError `input_invalid` with the first bad lines and their number
 */
export async function importHistory(
  { ledger, site }: Pick<Wired, "ledger" | "site">,
  lines: AsyncIterable<string> | Iterable<string>,
  file: string,
): Promise<number> {
  const redirects = redirectKind(site.kinds)?.name;
  if (redirects === undefined) throw withoutRedirects();
  const former = new Map<string, Former>();
  const problems: Problem[] = [];
  let n = 0;
  for await (const line of lines) {
    n += 1;
    if (line.trim() === "") continue;
    const parsed = parseLine(line, site);
    const flaw = typeof parsed === "string" ? parsed : twice(parsed, former);
    if (flaw !== undefined) problems.push({ place: `${file}:${n}`, message: flaw });
    else if (typeof parsed !== "string") former.set(parsed.route, parsed);
    if (problems.length === MAX_PROBLEMS) break;
  }
  if (problems.length > 0) throw malformed(problems);
  const notes = { [IMPORTED]: randomUUID() };
  await ledger.importFormer([...former.values()], { redirects, notes });
  return former.size;
}

function parseLine(line: string, site: Site): Former | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "It is no JSON.";
  }
  if (typeof value !== "object" || value === null) return "It is no object.";
  const { from, kind, key, ...rest } = value as Readonly<Record<string, unknown>>;
  const [other] = Object.keys(rest);
  if (other !== undefined) return `It has a member "${other}"; known are from, kind and key.`;
  if (typeof from !== "string") return "Its from is no text.";
  const flaw = routeFlaw(from);
  if (flaw !== undefined) return `Its from ${flaw}.`;
  if (typeof kind !== "string" || !/^[a-z][a-z0-9_-]{0,31}$/.test(kind)) {
    return "Its kind is no name of a kind.";
  }
  const good = keyFromJson(key);
  if (good === undefined || good.length === 0) return "Its key is no list of values.";
  return misfit(kind, good, site) ?? { route: from, kind, key: encodeKey(good) };
}

/** What is wrong with a key of a kind that the site has; of others, nobody knows. */
function misfit(name: string, key: Key, { kinds }: Site): string | undefined {
  const kind = kinds.find((each) => each.name === name);
  if (kind === undefined) return undefined;
  if (kind.is !== "row") return `The kind ${name} has no page for each row.`;
  const { columns, key: names } = kind.table;
  const isText = (column: string) => ["text", "oneOf"].includes(columns[column]?.type ?? "");
  const fits =
    key.length === names.length &&
    names.every((column, at) => isText(column) === (typeof key[at] === "string"));
  return fits ? undefined : `The key of ${name} is (${names.join(", ")}).`;
}

function twice({ route }: Former, former: ReadonlyMap<string, Former>): string | undefined {
  return former.has(route) ? `There is another line for ${route}.` : undefined;
}

function malformed(problems: readonly Problem[]): PipelineError {
  return new PipelineError("input_invalid", "The route history cannot be read; nothing changed.", {
    hint: 'Write lines such as {"from":"/articles/x/","kind":"article","key":[42]}.',
    problems,
  });
}

function withoutRedirects(): PipelineError {
  const message = "The site has no redirect pages, so it keeps no route history.";
  return new PipelineError("config_invalid", message, {
    hint: 'Add redirect: redirects({ template: "redirect" }) to the pages of the site definition.',
  });
}
