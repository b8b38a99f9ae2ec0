import { PipelineError } from "../error.ts";
import { siteProblems } from "./check.ts";
import type { Kind, Unnamed } from "./page.ts";

/** What to do with a body's link to a route of this site that does not exist. */
export type BodyLinks = "keep" | "unlink" | "error";

/** A whole site: what `defineSite` returns and the pipeline runs on. */
export interface Site {
  /** Scheme and host, no trailing slash: `https://example.com`. */
  readonly origin: string;
  readonly title: string;
  readonly description: string;
  /** BCP 47 language of pages, e.g. `en`. */
  readonly lang: string;
  readonly bodyLinks: BodyLinks;
  /** In the order of the definition. */
  readonly kinds: readonly Kind[];
}

/** What a user writes. */
export interface SiteDefinition {
  readonly origin: string;
  readonly title: string;
  readonly description?: string;
  readonly lang?: string;
  readonly bodyLinks?: BodyLinks;
  readonly pages: Readonly<Record<string, Unnamed>>;
}

/**
 * Turns a definition into a site.
 * @throws PipelineError `config_invalid` with every problem and its place
 */
export function defineSite(definition: SiteDefinition): Site {
  const { origin, title, description = "", lang = "en", bodyLinks = "unlink", pages } = definition;
  const kinds = Object.entries(pages).map(([name, each]) => ({ ...each, name }) as Kind);
  const site = { origin, title, description, lang, bodyLinks, kinds };
  const problems = siteProblems(site);
  if (problems.length === 0) return site;
  throw new PipelineError("config_invalid", "The site definition does not hold together.", {
    hint: "Correct every place named.",
    problems,
  });
}
