import type { Dir } from "node:fs";
import { mkdir, opendir, readdir, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isAbsent } from "./folder-errors.ts";
import type { Write } from "./store.ts";

/** Names of files that are being written start with this; no key may hold one. */
export const TEMPORARY = ".nightbake-put-";
/** After this long the writer of a temporary file is dead. */
const STALE_MS = 3_600_000;
/** A folder can vanish between mkdir and write when a delete just emptied it. */
const ATTEMPTS = 10;

/**
 * Yields the files below `root`/`folder` ("" or ending in "/") by their path from `root`, and
 * removes temporary files that a dead writer left. One folder is open per level and read in parts,
 * so memory does not grow with the number of files.
 */
export async function* walk(root: string, folder: string): AsyncGenerator<string> {
  const entries: Dir | undefined = await opendir(join(root, folder), { bufferSize: 256 }).catch(
    absent,
  );
  for await (const entry of entries ?? []) {
    const path = folder + entry.name;
    if (entry.isDirectory()) yield* walk(root, `${path}/`);
    else if (entry.name.startsWith(TEMPORARY)) await removeStale(join(root, path));
    else if (entry.isFile()) yield path;
  }
}

/** Writes a file aside (in the same folder, created if need be) and renames it into place, in time. */
export async function replaceFile(
  file: string,
  { aside, body, until }: { readonly aside: string; readonly body: Uint8Array } & Write,
): Promise<void> {
  try {
    await createFile(aside, body);
    until?.();
    await rename(aside, file);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => {});
    throw error;
  }
}

/** Removes the files that others than the writer `own` have written aside in a folder. */
export async function removeAside(folder: string, own: string): Promise<void> {
  const names = (await readdir(folder).catch(absent)) ?? [];
  const others = names.filter((name) => name.startsWith(TEMPORARY) && !name.startsWith(own));
  for (const name of others) await rm(join(folder, name), { force: true });
}

/** Removes a folder and those above it as long as they are empty; `root` stays. */
export async function removeEmptied(folder: string, root: string): Promise<void> {
  if (folder === root) return;
  const isRemoved = await rmdir(folder).then(
    () => true,
    () => false, // It holds other files, or is gone already.
  );
  if (isRemoved) await removeEmptied(dirname(folder), root);
}

/** For `catch`: a file that is not there is undefined, any other failure stays one. */
export function absent(error: unknown): undefined {
  if (!isAbsent(error)) throw error;
}

/** Makes the folder only once it is missed, so an update costs no mkdir. */
async function createFile(file: string, body: Uint8Array): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await writeFile(file, body);
    } catch (error) {
      if (!isAbsent(error) || attempt === ATTEMPTS) throw error;
      await mkdir(dirname(file), { recursive: true });
    }
  }
}

async function removeStale(file: string): Promise<void> {
  const found = await stat(file).catch(absent);
  if (found && found.mtimeMs < Date.now() - STALE_MS) await rm(file, { force: true });
}
