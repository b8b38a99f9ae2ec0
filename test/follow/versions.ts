import { setTimeout as sleep } from "node:timers/promises";
import { servedFiles } from "./command.ts";

/** Between two looks at the whole folder, ms. */
const LOOK_MS = 40;

/** What was seen while pages changed. */
export interface Versions {
  /** One line for each object that showed an article's older version after a newer one. */
  readonly backwards: readonly string[];
  /** How many other versions than before were seen. */
  readonly steps: number;
}

/** Looks again and again at the versions of articles that each object shows, until the signal. */
export async function watchVersions(folder: string, signal: AbortSignal): Promise<Versions> {
  const newest = new Map<string, number>();
  const backwards: string[] = [];
  let steps = 0;
  while (!signal.aborted) {
    for (const [file, text] of readable(folder)) {
      for (const [, version, id] of text.matchAll(/Version (\d+) of (\d+)/g)) {
        const place = `${file} of ${id}`;
        const before = newest.get(place) ?? 0;
        if (Number(version) < before) backwards.push(`${place}: ${version} after ${before}`);
        if (Number(version) > before) steps += 1;
        newest.set(place, Number(version));
      }
    }
    await sleep(LOOK_MS);
  }
  return { backwards, steps };
}

/** None when a file went while it was looked for. */
function readable(folder: string): ReadonlyMap<string, string> {
  try {
    return servedFiles(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw error;
  }
}
