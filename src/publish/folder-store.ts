import { randomBytes } from "node:crypto";
import { access, constants, readFile, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { bytesTag } from "./bytes-tag.ts";
import { folderError, keyRefused } from "./folder-errors.ts";
import {
  absent,
  removeAside,
  removeEmptied,
  replaceFile,
  TEMPORARY,
  walk,
} from "./folder-files.ts";
import type { Listed, ObjectStore } from "./store.ts";

/**
 * Keeps objects as files below `dir`, which is created when the first is put.
 *
 * A file appears whole or not at all (written aside, then renamed). It is not fsynced, so a power
 * cut may take the last files. Headers are not kept: a web server derives them from the key.
 * Symbolic links are the operator's: a put follows them, a list does not.
 */
export function folderStore(dir: string): ObjectStore {
  const root = resolve(dir);
  const name = `folder ${dir}`;
  const place = (key: string) => placeOf(root, key);
  const writer = `${TEMPORARY}${randomBytes(6).toString("hex")}-`;
  let puts = 0;
  return {
    name,
    foldsCase: true,
    // Nothing keeps another process from renaming a file in between, so none is promised.
    isConditional: false,
    deleteConditions: "ignored",
    lateWritesMs: 0,
    keepsHeaders: false,
    check: () => checkWritable(root).catch(folderError(name)),
    async *list(prefix) {
      const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
      if (folder !== "") place(folder.slice(0, -1));
      try {
        yield* filesFrom(root, { prefix, folder });
      } catch (error) {
        folderError(name)(error);
      }
    },
    async get(key) {
      const body = await readFile(place(key)).catch(absent).catch(folderError(name, key));
      return body && { body };
    },
    async head(key) {
      const body = await readFile(place(key)).catch(absent).catch(folderError(name, key));
      return body && { etag: bytesTag(body), writeId: undefined, hash: undefined };
    },
    keepsVersions: async () => false,
    versions: async () => [],
    async put({ key, body }, { until } = {}) {
      const file = place(key);
      puts += 1;
      const aside = join(dirname(file), `${writer}${puts}`);
      await replaceFile(file, { aside, body, until }).catch(folderError(name, key));
      return bytesTag(body);
    },
    async delete(keys) {
      await removeFiles(root, name, keys);
      return [];
    },
    erase: (keys, options) => removeFiles(root, name, options?.keepsCurrent ? [] : keys),
    async removeRemains(keys) {
      for (const folder of new Set(keys.map((key) => dirname(place(key))))) {
        await removeAside(folder, writer).catch(folderError(name));
      }
    },
  };
}

/** The files whose keys begin with `prefix`, which is in `folder`. */
async function* filesFrom(
  root: string,
  { prefix, folder }: { readonly prefix: string; readonly folder: string },
): AsyncGenerator<Listed> {
  for await (const key of walk(root, folder)) {
    const found = key.startsWith(prefix) ? await stat(join(root, key)).catch(absent) : undefined;
    if (found !== undefined) yield { key, etag: undefined, bytes: found.size };
  }
}

async function removeFiles(root: string, name: string, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const file = placeOf(root, key);
    await unlink(file).catch(absent).catch(folderError(name, key));
    await removeEmptied(dirname(file), root);
  }
}

function placeOf(root: string, key: string): string {
  const segments = key.split("/");
  const leaves = segments.some((each) => each === "" || each === "." || each === "..");
  if (leaves || /[\0\\]/.test(key)) throw keyRefused(key, "it would leave the folder");
  if (segments.some((each) => each.startsWith(TEMPORARY))) {
    throw keyRefused(key, `names that start with ${TEMPORARY} are the store's own`);
  }
  return join(root, key);
}

/** Looks at the nearest folder that exists and creates nothing, so that a dry run may check too. */
async function checkWritable(folder: string): Promise<void> {
  const found = await stat(folder).catch(absent);
  if (found === undefined) return checkWritable(dirname(folder));
  if (!found.isDirectory()) throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
  await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
}
