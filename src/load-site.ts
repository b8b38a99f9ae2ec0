import { access } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { PipelineError } from "./error.ts";
import type { Kind, Site } from "./site.ts";

/**
 * Imports a site definition and applies `SITE_URL`.
 * @throws PipelineError `config_invalid` when the file is missing, does not run or is no site
 */
export async function loadSite(file: string, siteUrl: string | undefined): Promise<Site> {
  try {
    await access(file);
  } catch (cause) {
    throw new PipelineError("config_invalid", `There is no site definition at ${file}.`, {
      hint: "Name it with --config FILE, or run from the folder that holds site.config.ts.",
      cause,
    });
  }
  const site = await importSite(file);
  return siteUrl === undefined ? site : { ...site, origin: siteUrl };
}

/** The templates a site cannot do without. */
export function templateNames({ kinds }: Site): readonly string[] {
  const names = kinds.flatMap((kind: Kind) =>
    kind.is === "sitemap" ? [kind.template, kind.part] : [kind.template],
  );
  return [...new Set(names)];
}

async function importSite(file: string): Promise<Site> {
  let loaded: { readonly default?: unknown };
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (cause) {
    if (cause instanceof PipelineError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PipelineError("config_invalid", `${file} cannot be loaded: ${reason}`, { cause });
  }
  const site = loaded.default;
  if (typeof site === "object" && site !== null && "kinds" in site) return site as Site;
  throw new PipelineError("config_invalid", `${file} does not export a site.`, {
    hint: "End it with: export default defineSite({ … }).",
  });
}
