import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { filesBelow } from "./render/assets.ts";
import { MARKDOWN_POLICY } from "./render/markdown.ts";
import type { Templates } from "./render/templates.ts";
import { digest, digestOf, hexOf, type Kind, type Making, type Site } from "./site.ts";

/** Our own code that can change a byte of a body, and of a page. */
const BODY_CODE = ["site", "render"];
const CODE = [...BODY_CODE, "source", "plan"];

/**
 * Digest of what makes pages, beside the site: our code, the locked dependencies, and the
 * versions of Node, V8 and ICU. Another machine with the same makes the same bytes.
 */
export async function engineFingerprint(): Promise<Buffer> {
  return await fingerprintOf(CODE);
}

/** Digest of what makes the bodies of pages, beside their sources. */
export async function bodyFingerprint(): Promise<Buffer> {
  return await fingerprintOf(BODY_CODE);
}

async function fingerprintOf(code: readonly string[]): Promise<Buffer> {
  const here = fileURLToPath(new URL(".", import.meta.url));
  const folders = await Promise.all(code.map((folder) => sources(join(here, folder))));
  const lock = await readFile(join(here, "..", "package-lock.json"), "utf8").catch(() => "");
  const { node, v8, icu } = process.versions;
  return digestOf([folders, lock, node, v8, icu, MARKDOWN_POLICY]);
}

/** The fingerprint of each kind: its templates, its definition, the site's own words, the engine. */
export function kindFingerprints(
  site: Site,
  templates: Templates,
  engine: Uint8Array,
): (kind: Kind) => Uint8Array {
  const { kinds, ...words } = site;
  const sitemap = kinds.find(({ is }) => is === "sitemap")?.template;
  const prints = new Map(
    kinds.map((kind) => {
      const names = kind.is === "sitemap" ? [kind.template, kind.part] : [kind.template];
      const own = names.map((name) => templates.fingerprint(name));
      return [kind.name, digestOf([own, kind, words, sitemap, engine])];
    }),
  );
  return ({ name }) => prints.get(name) ?? engine;
}

/** The parts of the engine, to say which of them changed. */
export async function engineMaking(engine: Uint8Array): Promise<Making> {
  const here = fileURLToPath(new URL(".", import.meta.url));
  const lock = await readFile(join(here, "..", "package-lock.json"), "utf8").catch(() => "");
  const { node, v8, icu = "" } = process.versions;
  return {
    "runtime:node": node,
    "runtime:v8": v8,
    "runtime:icu": icu,
    "runtime:dependencies": hexOf(digest(lock)),
    // Last, since it differs whenever one of the others does.
    "runtime:nightbake": hexOf(engine),
  };
}

/** The parts of each kind's fingerprint. */
export function kindMakings(
  site: Site,
  templates: Templates,
  engine: Making,
): (kind: Kind) => Making {
  const { kinds, ...words } = site;
  const sitemap = kinds.find(({ is }) => is === "sitemap")?.template;
  const whole = { "definition:site": hexOf(digestOf([words, sitemap])) };
  const makings = new Map(
    kinds.map((kind) => {
      const names = kind.is === "sitemap" ? [kind.template, kind.part] : [kind.template];
      const own = { [`definition:${kind.name}`]: hexOf(digestOf(kind)) };
      const reached = names.map((name) => templates.making(name));
      return [kind.name, Object.assign({}, ...reached, own, whole, engine) as Making];
    }),
  );
  return ({ name }) => makings.get(name) ?? engine;
}

async function sources(folder: string): Promise<readonly (readonly string[])[]> {
  const names = (await filesBelow(folder)).filter((name) => name.endsWith(".ts"));
  return await Promise.all(
    names.map(async (name) => [name, await readFile(join(folder, name), "utf8")]),
  );
}
