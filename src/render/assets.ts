import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { PipelineError } from "../error.ts";
import { digest } from "../site.ts";

/** A file below `content/assets/`, published under a name that changes with its bytes. */
export interface Asset {
  /** Its path there, as templates write it: `style.css`, `img/loaf.webp`. */
  readonly name: string;
  /** `assets/style.0123456789.css`. */
  readonly key: string;
  readonly body: Buffer;
  /** Digest of the bytes; the key holds its first {@link HASH_DIGITS} hexadecimal digits. */
  readonly hash: Buffer;
}

/** 40 bits: two versions of one file share a name once in a trillion edits. */
const HASH_DIGITS = 10;

/**
 * Reads all assets below `dir`, in order of name; none when there is no such folder. Hidden files
 * are left out. References between assets are not rewritten, so each must stand alone.
 * @throws PipelineError `input_invalid` when a file cannot be read
 */
export async function loadAssets(dir: string): Promise<readonly Asset[]> {
  try {
    const names = await filesBelow(dir);
    return await Promise.all(
      names.map(async (name) => asset(name, await readFile(join(dir, name)))),
    );
  } catch (cause) {
    throw new PipelineError("input_invalid", `The assets in ${dir} cannot be read.`, {
      hint: "Check that the folder and its files are readable.",
      at: { dir },
      cause,
    });
  }
}

/**
 * The files below a folder as paths with "/", sorted by code unit; hidden ones are left out.
 * Empty when the folder does not exist.
 */
export async function filesBelow(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(noneIfAbsent);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).replaceAll(sep, "/"))
    .filter((name) => !/(?:^|\/)\./.test(name))
    .sort();
}

function asset(name: string, body: Buffer): Asset {
  const hash = digest(body);
  const digits = hash.toString("hex").slice(0, HASH_DIGITS);
  const key = `assets/${name.replace(/(\.[^./]+)?$/, (extension) => `.${digits}${extension}`)}`;
  return { name, key, body, hash };
}

function noneIfAbsent(cause: NodeJS.ErrnoException): [] {
  if (cause.code === "ENOENT") return [];
  throw cause;
}
