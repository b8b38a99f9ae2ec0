import { PipelineError, type Problem } from "../error.ts";
import type { Bar, Ledger } from "../ledger/ledger.ts";
import { encodeKey, pageName, routeFlaw } from "../site.ts";
import { keyFromJson, keyToJson } from "./json-key.ts";
import type { RemovalOptions, Shelf } from "./removal.ts";
import { removeAll } from "./takedown.ts";

/** Problems of one import that are told. */
const MAX_PROBLEMS = 20;
const MEMBERS = "kind key below route since reason erased".split(" ");

/**
 * What is taken down as NDJSON, a page a line, in page order:
 * `{"kind":"article","key":[42],"route":"/articles/x/","since":1735689600000000,"reason":"…"}`, with
 * `"erased":true` and, for a list with its archive, `"below":true`. Lines end with a line feed. It is
 * an input of a build, as rows are.
 */
export async function* exportTakedowns(ledger: Pick<Ledger, "bars">): AsyncGenerator<string> {
  for (const bar of await ledger.bars()) if (bar.state !== "lifted") yield toLine(bar);
}

/**
 * Takes down what {@link exportTakedowns} gave, all or nothing: what of it is live is removed from
 * store and CDN. What links there is left to the next run. Safe to run again.
 * @returns how many lines there were
 * @throws PipelineError `input_invalid` with the first bad lines and their numbers
 */
export async function importTakedowns(
  shelf: Shelf,
  lines: AsyncIterable<string> | Iterable<string>,
  { file, ...options }: RemovalOptions & { readonly file: string },
): Promise<number> {
  const bars = new Map<string, Bar>();
  const problems: Problem[] = [];
  let n = 0;
  for await (const text of lines) {
    n += 1;
    if (text.trim() === "") continue;
    const line = fromLine(text);
    const isTwice = typeof line !== "string" && bars.has(pageName(line));
    const flaw = isTwice ? "There is another line for this page." : line;
    if (typeof flaw === "string") problems.push({ place: `${file}:${n}`, message: flaw });
    else bars.set(pageName(flaw), flaw);
    if (problems.length === MAX_PROBLEMS) break;
  }
  if (problems.length > 0) throw malformed(problems);
  await shelf.ledger.bar([...bars.values()]);
  await removeAll(shelf, options);
  return bars.size;
}

function toLine({ kind, key, isBelow, route, since, reason, isErased }: Bar): string {
  const flags = { ...(isBelow && { below: true }), ...(isErased && { erased: true }) };
  return `${JSON.stringify({ kind, key: keyToJson(key), route, since, reason, ...flags })}\n`;
}

/** Reads a line of {@link toLine}, or says what is wrong with it. */
function fromLine(text: string): Bar | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "It is no JSON.";
  }
  if (typeof value !== "object" || value === null) return "It is no object.";
  const other = Object.keys(value).find((name) => !MEMBERS.includes(name));
  if (other !== undefined) return `It has a member "${other}"; known are ${MEMBERS.join(", ")}.`;
  const { kind, key, route, since, ...rest } = value as Readonly<Record<string, unknown>>;
  const { reason = "", below = false, erased = false } = rest;
  // Kinds that the site does not have may come back.
  if (typeof kind !== "string" || !/^[a-z][a-z0-9_-]{0,31}$/.test(kind)) {
    return "Its kind is no name of a kind.";
  }
  const good = keyFromJson(key);
  if (good === undefined) return "Its key is no list of values.";
  if (typeof route !== "string") return "Its route is no text.";
  const flaw = routeFlaw(route);
  if (flaw !== undefined) return `Its route ${flaw}.`;
  if (!Number.isSafeInteger(since)) return "Its since is no instant.";
  if (typeof reason !== "string") return "Its reason is no text.";
  if (typeof below !== "boolean" || typeof erased !== "boolean") {
    return "Its below and erased are true or left out.";
  }
  const is = { isBelow: below, isErased: erased };
  return { kind, key: encodeKey(good), route, since: Number(since), reason, ...is };
}

function malformed(problems: readonly Problem[]): PipelineError {
  return new PipelineError("input_invalid", "The takedowns cannot be read; nothing changed.", {
    hint: "Import what `nightbake takedown export FILE` wrote.",
    problems,
  });
}
