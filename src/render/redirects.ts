import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { PipelineError, type Problem } from "../error.ts";
import { type DeclaredRedirect, fromFlaw, isAway, toFlaw } from "../site.ts";

/** The file below `content/` in which editors declare redirects. */
const FILE = "redirects.txt";

/**
 * Reads `redirects.txt` of a folder: lines `/old/ /new/`, `#` comments, in any order. Routes may be
 * percent-encoded, as a browser shows them, and must be where they hold a space or a `%`. Sorted by
 * the bytes of the routes; none when there is no such file.
 * @throws PipelineError `input_invalid` with every line that says nothing
 */
export async function loadRedirects(dir: string): Promise<readonly DeclaredRedirect[]> {
  const file = join(dir, FILE);
  const text = await readFile(file, "utf8").catch((error: unknown) => missing(error, file));
  const problems: Problem[] = [];
  const found = new Map<string, DeclaredRedirect>();
  for (const [n, line] of text.split(/\r?\n/).entries()) {
    const parsed = parseLine(line, { file: basename(file), line: String(n + 1) });
    if (parsed === undefined) continue;
    const flaw = typeof parsed === "string" ? parsed : twice(found.get(parsed.from));
    if (flaw !== undefined) problems.push({ place: `${file}:${n + 1}`, message: flaw });
    else if (typeof parsed !== "string") found.set(parsed.from, parsed);
  }
  if (problems.length === 0) return [...found.values()].sort(byRoute);
  throw new PipelineError("input_invalid", "Some redirects cannot be used.", {
    hint: "Write two routes a line, e.g. /old/ /new/, or an address that begins with https: second.",
    problems,
  });
}

function parseLine(
  line: string,
  at: DeclaredRedirect["at"],
): DeclaredRedirect | string | undefined {
  const words = line
    .replace(/(^|\s)#.*$/, "")
    .split(/\s+/)
    .filter(Boolean);
  if (words.length === 0) return undefined;
  const [from, to] = words.map((word) => (isAway(word) ? word : decoded(word)));
  if (words.length !== 2) return `It has ${words.length} words, not two.`;
  if (from === undefined || to === undefined) return "It is not percent-encoded UTF-8.";
  const [badFrom, badTo] = [fromFlaw(from), toFlaw(to)];
  if (badFrom !== undefined) return `There cannot be a redirect at ${words[0]}: that ${badFrom}.`;
  if (badTo !== undefined) return `It cannot lead to ${words[1]}: that ${badTo}.`;
  return { from, to, at };
}

function decoded(word: string): string | undefined {
  try {
    return decodeURIComponent(word);
  } catch {
    return undefined;
  }
}

function twice(before: DeclaredRedirect | undefined): string | undefined {
  return before && `Line ${before.at["line"]} is about the same route.`;
}

function byRoute(a: DeclaredRedirect, b: DeclaredRedirect): number {
  return Buffer.compare(Buffer.from(a.from), Buffer.from(b.from));
}

function missing(error: unknown, file: string): string {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
  throw new PipelineError("input_invalid", "The redirects cannot be read.", {
    hint: "Check that the file is readable.",
    at: { file },
    cause: error,
  });
}
