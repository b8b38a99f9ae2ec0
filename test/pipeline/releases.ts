import type { Artifact } from "../../src/site.ts";
import { served, shown } from "./small-site.ts";

/**
 * Pages and the assets that they name, as text by key; other assets stay for a day. A page that fails
 * may name one that is gone.
 */
export function siteOf(objects: ReadonlyMap<string, Artifact>): Readonly<Record<string, string>> {
  const all = shown(served(objects));
  const pages = Object.entries(all).filter(([key]) => !key.startsWith("assets/"));
  const named = pages.flatMap(([, text]) => text.match(/assets\/[\w.]+/g) ?? []);
  const assets = [...new Set(named)].flatMap((key) => {
    const asset = all[key];
    return asset === undefined ? [] : [[key, asset] as const];
  });
  return Object.fromEntries([...pages, ...assets]);
}
