import { PipelineError, type Problem } from "../error.ts";
import { digest, digestOf, encodeRoute, hexOf, type Making } from "../site.ts";
import type { Asset } from "./assets.ts";
import { SafeHtml } from "./safe-html.ts";
import type { Parsed } from "./template-check.ts";
import { compileTemplate, type Links, type TemplateFunction } from "./template-code.ts";

type All<T> = ReadonlyMap<string, T>;

/** Compiles templates and ties each to those it includes, by name. All problems are returned. */
export function linkTemplates(
  templates: All<Parsed>,
  assets: All<Asset>,
): { readonly functions: All<TemplateFunction>; readonly problems: readonly Problem[] } {
  const functions = new Map<string, TemplateFunction>();
  const problems: Problem[] = [];
  for (const [name, template] of templates) {
    const flaws = [...template.problems, ...unknownNames(template, templates, assets)];
    const result =
      flaws.length > 0 ? undefined : compile(template, linksOf(template, functions, assets));
    if (typeof result === "function") functions.set(name, result);
    else problems.push(...flaws, ...(result === undefined ? [] : [result]));
  }
  return { functions, problems };
}

/** The digest of each template with all it can reach; `engine` names what else makes the text. */
export function fingerprints(
  templates: All<Parsed>,
  assets: All<Asset>,
  engine: string,
): All<Buffer> {
  const print = (name: string) => {
    const names = reachable(name, templates);
    const used = new Set(names.flatMap((each) => [...(templates.get(each)?.assets ?? [])]));
    const sources = names.map((each) => [each, templates.get(each)?.source]);
    const keys = [...used].sort().map((each) => assets.get(each)?.key);
    return digestOf({ engine, name, sources, keys });
  };
  return new Map([...templates.keys()].map((name) => [name, print(name)]));
}

/** The digest of every template that each can reach, itself included, and the keys of their assets. */
export function makings(templates: All<Parsed>, assets: All<Asset>): All<Making> {
  const digests = new Map(
    [...templates].map(([name, { source }]) => [name, hexOf(digest(source))]),
  );
  const making = (name: string): Making => {
    const names = reachable(name, templates);
    const used = new Set(names.flatMap((each) => [...(templates.get(each)?.assets ?? [])]));
    return Object.fromEntries([
      ...names.map((each) => [`template:${each}`, digests.get(each) ?? ""]),
      ...[...used].sort().map((each) => [`asset:${each}`, assets.get(each)?.key ?? ""]),
    ]);
  };
  return new Map([...templates.keys()].map((name) => [name, making(name)]));
}

/** The template and all it includes, directly or not; sorted. */
function reachable(name: string, templates: All<Parsed>): readonly string[] {
  const found = new Set([name]);
  // A set's iterator also visits what is added on the way.
  for (const each of found)
    for (const next of templates.get(each)?.templates ?? []) found.add(next);
  return [...found].sort();
}

function unknownNames(
  { file, ...named }: Parsed,
  templates: All<Parsed>,
  assets: All<Asset>,
): readonly Problem[] {
  const absent = (kind: string, names: ReadonlySet<string>, all: All<unknown>): Problem[] =>
    [...names]
      .filter((name) => !all.has(name))
      .map((name) => ({ place: file, message: `There is no ${kind} "${name}".` }));
  return [
    ...absent("template", named.templates, templates),
    ...absent("asset", named.assets, assets),
  ];
}

function compile(template: Parsed, links: Links): TemplateFunction | Problem {
  const { file, pieces } = template;
  try {
    return compileTemplate(file, pieces, links);
  } catch (error) {
    const { message, stack = "" } = error as Error;
    const line = /:(\d+)\n/.exec(stack)?.[1] ?? "1";
    return { place: `${file}:${line}`, message: `Its code cannot be compiled: ${message}.` };
  }
}

function linksOf(
  { file, templates, assets }: Parsed,
  functions: All<TemplateFunction>,
  allAssets: All<Asset>,
): Links {
  /** Only what was named by a literal can be called; anything else is not in the fingerprint. */
  const linked = (name: string): TemplateFunction => {
    const template = templates.has(name) ? functions.get(name) : undefined;
    if (template === undefined) throw new TypeError(`"${name}" is not named by a literal`);
    return template;
  };
  return {
    include: (name, it, data) => SafeHtml.vouch(linked(name)({ ...it, ...data })),
    layout: (name, it, data, text) => linked(name)({ ...it, ...data, body: SafeHtml.vouch(text) }),
    asset: (name) => {
      const asset = assets.has(name) ? allAssets.get(name) : undefined;
      if (asset === undefined) throw new TypeError(`"${name}" is not named by a literal`);
      return encodeRoute(`/${asset.key}`);
    },
    fail: (cause, line) => failure(file, line, cause),
  };
}

/** The innermost template that failed names the place. */
function failure(file: string, line: number, cause: unknown): PipelineError {
  if (cause instanceof PipelineError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PipelineError("template_failed", `The template ${file} failed: ${reason}.`, {
    hint: "Correct the template or the row; clock, chance, disk and network are not for templates.",
    at: { template: file, line: String(line) },
    cause,
  });
}
