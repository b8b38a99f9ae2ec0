import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { kindFingerprints, kindMakings } from "../../src/engine.ts";
import { templateNames } from "../../src/load-site.ts";
import type { Wired } from "../../src/pipeline.ts";
import { loadAssets } from "../../src/render/assets.ts";
import { loadContent } from "../../src/render/content.ts";
import { loadRedirects } from "../../src/render/redirects.ts";
import { loadTemplates } from "../../src/render/templates.ts";
import { type FileChange, fileText } from "../pipeline/files.ts";
import { FILES, SITE } from "../pipeline/small-site.ts";
import { type Windows, withWindows } from "./variants.ts";

/** What a build is made with beside rows: a definition and what stands on disk. */
export type Making = Pick<
  Wired,
  "site" | "templates" | "assets" | "content" | "redirects" | "fingerprint" | "making"
>;

/** The definition and the files of a small site while they change. */
export interface SiteFiles {
  readonly texts: Readonly<Record<string, string>>;
  readonly windows: Windows | undefined;
}

/** As every history begins. */
export const FIRST: SiteFiles = { texts: FILES, windows: undefined };

/** Files after changes. */
export function changed(
  { texts, windows }: SiteFiles,
  files: readonly FileChange[],
  sizes: Windows | undefined,
): SiteFiles {
  const all = { ...texts, ...Object.fromEntries(files.map((each) => [each.file, fileText(each)])) };
  const left = Object.entries(all).filter(
    (each): each is [string, string] => each[1] !== undefined,
  );
  return { texts: Object.fromEntries(left), windows: sizes ?? windows };
}

type Loaded = Pick<Making, "templates" | "assets" | "content" | "redirects">;

/** Makes of equal files are the same: each is read and compiled once. */
const loaded = new Map<string, Promise<Loaded>>();
const makings = new Map<string, Making>();
/** Few histories have the same files by chance; most have those of their own past. */
const KEPT = 300;

/** Of files that are one and the same not even the texts need be compared. */
const made = new WeakMap<SiteFiles, Promise<Making>>();

/** What a build with these files is made with. `dir` is for reading them. */
export function makingOf(files: SiteFiles, dir: string): Promise<Making> {
  const making = made.get(files) ?? make(files, dir);
  made.set(files, making);
  return making;
}

async function make({ texts, windows }: SiteFiles, dir: string): Promise<Making> {
  const sizes = JSON.stringify(windows ?? null);
  const files = JSON.stringify(Object.entries(texts).sort());
  const known = makings.get(sizes + files);
  if (known !== undefined) return known;
  const parts = await remember(loaded, files, () => read(texts, dir));
  const site = windows === undefined ? SITE : withWindows(SITE, windows);
  const fingerprint = kindFingerprints(site, parts.templates, Buffer.from("engine"));
  const making = kindMakings(site, parts.templates, { "runtime:nightbake": "engine" });
  return remember(makings, sizes + files, () => ({ site, ...parts, fingerprint, making }));
}

function remember<T>(all: Map<string, T>, name: string, make: () => T): T {
  const value = all.get(name) ?? make();
  if (all.size >= KEPT) all.clear();
  all.set(name, value);
  return value;
}

async function read(texts: SiteFiles["texts"], parent: string): Promise<Loaded> {
  const dir = await mkdtemp(join(parent, "files-"));
  for (const [file, text] of Object.entries(texts)) {
    await mkdir(dirname(join(dir, file)), { recursive: true });
    await writeFile(join(dir, file), text);
  }
  const assets = await loadAssets(join(dir, "assets"));
  const names = templateNames(SITE);
  const templates = await loadTemplates({ dir: join(dir, "templates"), assets, names });
  const content = new Map([["pages", await loadContent(join(dir, "pages"))]]);
  const redirects = await loadRedirects(dir);
  await rm(dir, { recursive: true });
  return { assets, templates, content, redirects };
}
