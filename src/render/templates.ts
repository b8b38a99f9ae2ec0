import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Eta } from "eta/core";
import engine from "eta/package.json" with { type: "json" };
import { PipelineError, type Problem } from "../error.ts";
import type { Making } from "../site.ts";
import { type Asset, filesBelow } from "./assets.ts";
import { type Parsed, parsed } from "./template-check.ts";
import type { TemplateFunction } from "./template-code.ts";
import { fingerprints, linkTemplates, makings } from "./template-link.ts";
import type { TemplateData } from "./template-scope.ts";

/** All templates of a site, read and compiled. */
export interface Templates {
  /**
   * Renders one page. Pure: equal data give equal text, whatever the time, place or order.
   * @throws PipelineError `template_failed` with template and line
   */
  render(name: string, data: TemplateData): string;

  /**
   * Digest of all that a template's text depends on: its source, whatever it includes, the assets
   * it names, Eta's version. 16 bytes.
   */
  fingerprint(name: string): Buffer;

  /** The parts of that: each template and asset it can reach. */
  making(name: string): Making;
}

const SUFFIX = ".eta";
const eta = new Eta({ debug: true });

/**
 * Reads and compiles every `.eta` file below `dir`; nothing touches the disk afterwards.
 *
 * A template is called by its path without `.eta` and sees `it` (its data) and these names:
 * - `include("partials/nav", { more })` is HTML of a partial, whose `it` is ours and `more`;
 *   `layout("layouts/base", { more })` wraps the output, which the layout prints as `it.body`
 * - `asset("style.css")` is `/assets/style.0123456789.css`
 * - `href(route)` is a route's encoded path, `url(route)` the same after `it.site.origin`
 * - `date(at)` `2024-03-12`, `time(at)` `2024-03-12T09:30:00Z`, `longDate(at)` `12 March 2024`,
 *   `clock(at)` `09:30`, of instants in µs, all UTC
 * - `plain(text, 160)` is one line of text, cut after a whole word
 *
 * `<%= %>` prints text and numbers, escaped; `<%~ %>` prints `SafeHtml`, includes and `it.body`
 * as they are. Both refuse anything else. Names of partials, layouts and assets are literals,
 * which is what makes fingerprints complete. Clock, chance, disk and network are undefined
 * (`Date`, `Math.random`, `process`, `fetch` …). A character beyond U+00FF costs every page a
 * third of its speed; write it as an entity.
 *
 * `names` are the templates that must be there.
 * @throws PipelineError `template_failed` with every problem and its file and line
 */
export async function loadTemplates(from: {
  readonly dir: string;
  readonly assets: readonly Asset[];
  readonly names: readonly string[];
}): Promise<Templates> {
  const { dir, names } = from;
  const assets = new Map(from.assets.map((asset) => [asset.name, asset]));
  const templates = await readTemplates(dir).catch((cause) => unreadable(dir, cause));
  const { functions, problems } = linkTemplates(templates, assets);
  const absent = names.filter((name) => !templates.has(name));
  const all = [...absent.map(missing), ...problems];
  if (all.length > 0) throw malformed(dir, all);
  const parts = makings(templates, assets);
  const prints = fingerprints(templates, assets, `eta ${engine.version}`);
  return {
    render: (name, data) => known<TemplateFunction>(name, functions)(data),
    fingerprint: (name) => known<Buffer>(name, prints),
    making: (name) => known<Making>(name, parts),
  };
}

async function readTemplates(dir: string): Promise<ReadonlyMap<string, Parsed>> {
  const files = (await filesBelow(dir)).filter((file) => file.endsWith(SUFFIX));
  const read = async (file: string): Promise<[string, Parsed]> => {
    const source = await readFile(join(dir, file), "utf8");
    return [file.slice(0, -SUFFIX.length), parsed(file, source, (text) => eta.parse(text))];
  };
  return new Map(await Promise.all(files.map(read)));
}

function unreadable(dir: string, cause: unknown): never {
  throw new PipelineError("template_failed", `The templates in ${dir} cannot be read.`, {
    hint: "Check that the folder and its files are readable.",
    at: { dir },
    cause,
  });
}

function missing(name: string): Problem {
  return { place: name + SUFFIX, message: "A page kind names this template, and it is not there." };
}

function malformed(dir: string, problems: readonly Problem[]): PipelineError {
  const [first] = problems;
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  const message = `The templates in ${dir} have ${count}: ${first?.place}: ${first?.message}`;
  const hint = "Correct the templates; nothing has been rendered.";
  return new PipelineError("template_failed", message, { hint, at: { dir }, problems });
}

function known<T>(name: string, all: ReadonlyMap<string, T>): T {
  const found = all.get(name);
  if (found !== undefined) return found;
  throw new PipelineError("template_failed", `There is no template "${name}".`, {
    hint: `Name one of: ${[...all.keys()].join(", ")}.`,
    at: { template: name },
  });
}
