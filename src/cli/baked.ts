import { createHash } from "node:crypto";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Config } from "../config.ts";

/** What `bake` has to do to the embedded source before it builds. */
export type SourceState =
  /** Not there, filled by `bake` from other input, or cut off half-way: load it. */
  | "stale"
  /** Filled by `bake` from this very input. */
  | "fresh"
  /** Filled by the user: never touched. */
  | "foreign";

/** Stands in the marker while a load goes on; no digest looks like it. */
const LOADING = "loading";

/** Folder of the sample rows. */
export function dataDir({ contentDir }: Pick<Config, "contentDir">): string {
  return join(contentDir, "data");
}

/** Judges the embedded source by the marker that `bake` left, without opening it. */
export function sourceState(config: Config, input: string): SourceState {
  if (!existsSync(config.sourceFile)) return "stale";
  const marker = markerFile(config);
  if (!existsSync(marker)) return "foreign";
  return readFileSync(marker, "utf8").trim() === input ? "fresh" : "stale";
}

/** Before `bake` loads: the source is `bake`'s own, and not complete. */
export function markLoading(config: Config): void {
  mkdirSync(dirname(markerFile(config)), { recursive: true });
  writeFileSync(markerFile(config), `${LOADING}\n`);
}

/** After `bake` has loaded `input`. */
export function markBaked(config: Config, input: string): void {
  writeFileSync(markerFile(config), `${input}\n`);
}

/**
 * Before the user loads: from now on the source is the user's. Call the result when nothing was
 * loaded after all.
 */
export function markForeign(config: Config): () => void {
  const marker = markerFile(config);
  const isNew = !existsSync(config.sourceFile);
  const before = existsSync(marker) ? readFileSync(marker, "utf8").trim() : undefined;
  rmSync(marker, { force: true });
  return () => {
    if (isNew) markLoading(config);
    else if (before !== undefined) markBaked(config, before);
  };
}

/** Digest of what `bake` loads from: names and bytes of the rows, and the definition of their tables. */
export async function inputDigest(config: Config): Promise<string> {
  const dir = dataDir(config);
  const names = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name))
    .sort();
  const all = createHash("sha256");
  for (const file of [config.configFile, ...names]) {
    const one = createHash("sha256");
    if (existsSync(file)) await pipeline(createReadStream(file), one);
    all.update(`${file.slice(dirname(config.configFile).length)}\0${one.digest("hex")}\n`);
  }
  return all.digest("hex");
}

function markerFile({ home }: Config): string {
  return join(home, "baked");
}
