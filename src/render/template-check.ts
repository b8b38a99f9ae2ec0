import type { Problem } from "../error.ts";

/** A piece of a template: literal text, or the code of one tag. */
export type Piece = string | Tag;

/** `i` prints escaped (`<%= %>`), `r` prints as it is (`<%~ %>`), `e` runs (`<% %>`). */
export interface Tag {
  readonly t: string;
  readonly val: string;
  readonly lineNo?: number;
}

/** A template as read: its pieces, what it names by literals, and all that is wrong with it. */
export interface Parsed {
  readonly file: string;
  readonly source: string;
  readonly pieces: readonly Piece[];
  /** Partials and layouts. */
  readonly templates: ReadonlySet<string>;
  readonly assets: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

/**
 * Comments and strings (passed over), names that make a page depend on something else together
 * with their literal, and names that break purity or belong to the compiler.
 */
const TOKEN =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|(?<![.\w$])(?<call>include|layout|asset)(?![\w$])(?:\s*\(\s*(?:"(?<double>[^"\\\n]*)"|'(?<single>[^'\\\n]*)')\s*(?=[,)]))?|(?<![\w$])(?<banned>import|constructor|prototype|__proto__|arguments|localeCompare|toLocale\w+|\$\$\w*)(?![\w$])/g;

/** A tag that stands right after `=` and would be an attribute value without quotes. */
const UNQUOTED = /=\s*$/;

/** Parses a template and finds what it depends on and what it must not do. */
export function parsed(
  file: string,
  source: string,
  parse: (source: string) => readonly Piece[],
): Parsed {
  const templates = new Set<string>();
  const assets = new Set<string>();
  const problems: Problem[] = [];
  const pieces = tryParse(file, source, parse, problems);
  for (const [at, tag] of pieces.entries()) {
    if (typeof tag === "string") continue;
    const report = (message: string) => problems.push({ place: placeOf(file, tag), message });
    for (const { groups = {} } of tag.val.matchAll(TOKEN)) {
      const { call, banned } = groups;
      const name = groups["double"] ?? groups["single"];
      if (banned !== undefined) report(`"${banned}" is not for templates.`);
      else if (call !== undefined && name === undefined) report(`${call}() needs a literal name.`);
      else if (name !== undefined) (call === "asset" ? assets : templates).add(name);
    }
    const flaw = printFlaw(tag, pieces[at - 1]);
    if (flaw !== undefined) report(flaw);
  }
  return { file, source, pieces, templates, assets, problems };
}

function tryParse(
  file: string,
  source: string,
  parse: (source: string) => readonly Piece[],
  problems: Problem[],
): readonly Piece[] {
  try {
    return parse(source);
  } catch (error) {
    // Eta says "unclosed tag at line 3 col 5:" and draws the place below.
    const [, reason, line] = /^(.*) at line (\d+)/.exec((error as Error).message) ?? [];
    problems.push({ place: `${file}:${line ?? 1}`, message: `It has an ${reason ?? "error"}.` });
    return [];
  }
}

function placeOf(file: string, { lineNo = 1 }: Tag): string {
  return `${file}:${lineNo}`;
}

function printFlaw({ t, val }: Tag, before: Piece | undefined): string | undefined {
  if (t === "e") return undefined;
  if (typeof before === "string" && UNQUOTED.test(before)) {
    return "An attribute value needs quotes around it.";
  }
  try {
    new Function(`return (${val})`);
    return undefined;
  } catch (error) {
    return `What is printed is no expression: ${(error as Error).message}.`;
  }
}
