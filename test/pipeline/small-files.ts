import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { kindFingerprints, kindMakings } from "../../src/engine.ts";
import { templateNames } from "../../src/load-site.ts";
import type { Wired } from "../../src/pipeline.ts";
import { loadAssets } from "../../src/render/assets.ts";
import { loadContent } from "../../src/render/content.ts";
import { loadRedirects } from "../../src/render/redirects.ts";
import { loadTemplates } from "../../src/render/templates.ts";
import type { Site } from "../../src/site.ts";

/** What is made of a site's files. */
export type SmallFiles = Pick<
  Wired,
  "templates" | "assets" | "content" | "redirects" | "fingerprint" | "making"
>;

const FOLDERS = ["templates", "assets", "pages"];

/** Of equal files the same is made: most builds of tests find what the one before found. */
const known = new Map<string, Promise<SmallFiles>>();
/** Texts of whole sites. */
const KEPT = 20;

/** Reads the files below a small site's folder anew; compiles them unless they were compiled before. */
export async function smallFiles(site: Site, dir: string): Promise<SmallFiles> {
  const texts = textsBelow(dir);
  const made = known.get(texts) ?? make(site, dir);
  if (known.size >= KEPT) known.clear();
  known.set(texts, made);
  try {
    return await made;
  } catch (error) {
    // It names a folder, which another site of the same files does not have.
    known.delete(texts);
    throw error;
  }
}

function textsBelow(dir: string): string {
  const files = FOLDERS.filter((folder) => existsSync(join(dir, folder))).flatMap((folder) =>
    readdirSync(join(dir, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  const redirects = join(dir, "redirects.txt");
  const all = existsSync(redirects) ? [...files, redirects] : files;
  return JSON.stringify(
    all.sort().map((file) => [file.slice(dir.length), readFileSync(file, "latin1")]),
  );
}

async function make(site: Site, dir: string): Promise<SmallFiles> {
  const assets = await loadAssets(join(dir, "assets"));
  const names = templateNames(site);
  const templates = await loadTemplates({ dir: join(dir, "templates"), assets, names });
  return {
    assets,
    templates,
    content: new Map([["pages", await loadContent(join(dir, "pages"))]]),
    redirects: await loadRedirects(dir),
    fingerprint: kindFingerprints(site, templates, Buffer.from("engine")),
    making: kindMakings(site, templates, { "runtime:nightbake": "engine" }),
  };
}
