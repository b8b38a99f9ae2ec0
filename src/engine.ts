import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PipelineError } from "./error.ts";
import { filesBelow } from "./render/assets.ts";
import { MARKDOWN_POLICY } from "./render/markdown.ts";
import type { Templates } from "./render/templates.ts";
import { digest, digestOf, hexOf, type Kind, type Making, type Site } from "./site.ts";

/** Our own code that can change a byte of a body, and of a page. */
const BODY_CODE = ["site", "render"] as const;
const CODE = [...BODY_CODE, "source", "plan"] as const;

/** What the code is made of: hexadecimal digests of the sources by folder, and of the lockfile. */
export interface EngineDigests {
  readonly code: Readonly<Record<(typeof CODE)[number], string>>;
  readonly lock: string;
}

/**
 * Digest of what makes pages, beside the site: our code, the locked dependencies, and the
 * versions of Node, V8 and ICU. Another machine with the same makes the same bytes, and a bundle
 * has the one of the sources that it was made of.
 */
export async function engineFingerprint(): Promise<Buffer> {
  return await fingerprintOf(CODE);
}

/** Digest of what makes the bodies of pages, beside their sources. */
export async function bodyFingerprint(): Promise<Buffer> {
  return await fingerprintOf(BODY_CODE);
}

async function fingerprintOf(folders: readonly (typeof CODE)[number][]): Promise<Buffer> {
  const { code, lock } = await engineDigests();
  const { node, v8, icu } = process.versions;
  return digestOf([folders.map((folder) => code[folder]), lock, node, v8, icu, MARKDOWN_POLICY]);
}

/** As they stand beside a bundle, else of the sources. */
async function engineDigests(): Promise<EngineDigests> {
  const kept = await readFile(new URL("engine.json", import.meta.url), "utf8").catch(noneIfAbsent);
  return kept === undefined ? await digestSources() : (JSON.parse(kept) as EngineDigests);
}

/**
 * Reads the sources that run.
 * @throws PipelineError `config_invalid` when they are not there
 */
export async function digestSources(): Promise<EngineDigests> {
  const here = fileURLToPath(new URL(".", import.meta.url));
  const entries = CODE.map(async (folder) => {
    const read = await sources(join(here, folder));
    if (read.length === 0) throw unknownCode(here);
    return [folder, hexOf(digestOf(read))] as const;
  });
  const code = Object.fromEntries(await Promise.all(entries)) as EngineDigests["code"];
  const lock = await readFile(join(here, "..", "package-lock.json"), "utf8").catch(noneIfAbsent);
  return { code, lock: hexOf(digest(lock ?? "")) };
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
  const { lock } = await engineDigests();
  const { node, v8, icu = "" } = process.versions;
  return {
    "runtime:node": node,
    "runtime:v8": v8,
    "runtime:icu": icu,
    "runtime:dependencies": lock,
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

function noneIfAbsent(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== "ENOENT") throw cause;
}

function unknownCode(here: string): PipelineError {
  return new PipelineError("config_invalid", `What code runs in ${here} cannot be told.`, {
    hint: "A bundle needs the engine.json that was made with it: npm run aws:bundle.",
  });
}
