import type { Artifact } from "../../src/site.ts";
import { linkedKeys } from "../pipeline/links.ts";
import type { Edges } from "./edges.ts";

const SECOND_MS = 1000;
const DAY_MS = 86_400 * SECOND_MS;

/** What crawlers did and met; everything from `missingPages` on is to be 0. */
export interface Counts {
  views: number;
  clicks: number;
  assets: number;
  /** What was missing to pages that had gone from the site themselves when they were asked for. */
  afterwards: number;
  missingPages: number;
  missingAssets: number;
  mixes: number;
}

/** What crawlers see of a site that is published. */
export interface Sight {
  readonly objects: ReadonlyMap<string, Artifact>;
  readonly edges: Edges;
  /** Objects that wait to be deleted and have their date: nothing that is served links to them. */
  readonly leaving: ReadonlySet<string>;
  readonly counts: Counts;
  /** Writes down what must not be. */
  readonly complain: (about: string) => void;
}

/** A reader with a browser who looks at all there is and clicks on everything. */
export interface Crawler {
  /** Views what can be come by at this moment, and follows every link of what was opened before. */
  turn(): void;
  /** Forgets the addresses of pages that are gone or are going. */
  weed(): void;
}

/** A copy in the browser. */
interface Copy {
  readonly key: string;
  readonly artifact: Artifact;
  /** ms */
  readonly receivedAt: number;
  /** ms; so long it is shown without asking for another, and in all. */
  readonly freshMs: number;
  readonly usableMs: number;
  /** The page had gone from the site by then, though not from the store. */
  readonly isOfLeaving: boolean;
}

/** Where crawlers begin; what they come by from there they know from then on. */
export const ENTRIES = ["index.html", "sitemap.xml"];

/** Opens a browser at an edge. */
export function crawler(sight: Sight, edge: number): Crawler {
  const { objects, edges, leaving, counts, complain } = sight;
  const known = new Set(ENTRIES);
  const newest = new Map<string, Copy>();
  /** Copies that the browser may show, also older ones. */
  const open = new Map<string, Copy>();
  /** ms until which pages that were got need an asset. */
  const needed = new Map<string, number>();

  const fetch = (key: string): Copy | undefined => {
    const artifact = edges.ask(edge, key);
    if (artifact === undefined) return undefined;
    const isOfLeaving = leaving.has(key);
    const copy = { key, artifact, ...agesOf(artifact), receivedAt: Date.now(), isOfLeaving };
    newest.set(key, copy);
    if (copy.usableMs > 0 && !isAsset(key)) {
      open.set(`${isOfLeaving} ${artifact.hash.toString("hex")} ${key}`, copy);
    }
    return copy;
  };
  const view = (key: string): Copy | undefined => {
    const copy = newest.get(key);
    const ageMs = Date.now() - (copy?.receivedAt ?? 0);
    if (copy === undefined || (ageMs > 0 && ageMs >= copy.usableMs)) return fetch(key);
    // It is shown while a fresh one is fetched.
    if (ageMs > 0 && ageMs >= copy.freshMs) fetch(key);
    return copy;
  };
  const load = (from: Copy, asset: string) => {
    counts.assets += 1;
    if (!from.isOfLeaving) {
      const until = from.receivedAt + Math.max(from.usableMs, DAY_MS);
      needed.set(asset, Math.max(needed.get(asset) ?? 0, until));
    }
    // An edge may lose its copy at any moment.
    const there = objects.has(asset) ? view(asset) : undefined;
    if (there === undefined) miss(from, asset);
    else if (lookOf(there.artifact) !== lookOf(from.artifact)) {
      counts.mixes += 1;
      complain(`${from.key} of ${lookOf(from.artifact)} got another's ${asset}`);
    }
  };
  const click = (from: Copy, key: string): Copy | undefined => {
    counts.clicks += 1;
    const there = objects.has(key) ? view(key) : undefined;
    if (there === undefined) miss(from, key);
    return there;
  };
  const miss = (from: Copy, key: string) => {
    if (from.isOfLeaving) counts.afterwards += 1;
    else {
      counts[isAsset(key) ? "missingAssets" : "missingPages"] += 1;
      complain(`${from.key} → ${key}`);
    }
  };
  const lookAround = (from: Copy, shown: Set<Copy>) => {
    counts.views += 1;
    for (const key of keysIn(from.artifact)) {
      if (isAsset(key)) load(from, key);
      else {
        const there = click(from, key);
        if (there === undefined) continue;
        if (!from.isOfLeaving && !leaving.has(key)) known.add(key);
        shown.add(there);
      }
    }
  };
  return {
    turn() {
      for (const [name, copy] of open) {
        if (Date.now() - copy.receivedAt >= copy.usableMs) open.delete(name);
      }
      const shown = new Set(open.values());
      for (const key of known) {
        const there = view(key);
        if (there !== undefined) shown.add(there);
      }
      for (const copy of shown) lookAround(copy, shown);
      for (const [asset, until] of needed) {
        if (until <= Date.now()) needed.delete(asset);
        else if (!objects.has(asset)) {
          counts.missingAssets += 1;
          complain(`a page that stayed open → ${asset}`);
        }
      }
    },
    weed() {
      for (const key of known) {
        if (!ENTRIES.includes(key) && (leaving.has(key) || !objects.has(key))) known.delete(key);
      }
    },
  };
}

function isAsset(key: string): boolean {
  return key.startsWith("assets/");
}

const AGES = new WeakMap<Artifact, Pick<Copy, "freshMs" | "usableMs">>();

/** How long a browser may show a copy: the last part of it while it asks for another. */
function agesOf(artifact: Artifact): Pick<Copy, "freshMs" | "usableMs"> {
  const known = AGES.get(artifact);
  if (known !== undefined) return known;
  const freshMs = secondsOf(artifact, "max-age") * SECOND_MS;
  const usableMs = freshMs + secondsOf(artifact, "stale-while-revalidate") * SECOND_MS;
  const ages = { freshMs, usableMs };
  AGES.set(artifact, ages);
  return ages;
}

/** Read anew and not as the product does: only browsers' own words count here. */
function secondsOf({ cacheControl }: Artifact, name: string): number {
  const words = cacheControl.split(",").map((word) => word.trim().split("="));
  return Number(words.find(([word]) => word === name)?.[1] ?? 0);
}

const KEYS = new WeakMap<Artifact, readonly string[]>();

/** The objects that a page refers to. */
export function keysIn(artifact: Artifact): readonly string[] {
  const keys = KEYS.get(artifact) ?? [...new Set(linkedKeys(artifact))];
  KEYS.set(artifact, keys);
  return keys;
}

const LOOKS = new WeakMap<Artifact, string>();

/** Which look a page was made for, or an asset gives. */
function lookOf(artifact: Artifact): string {
  const known = LOOKS.get(artifact);
  if (known !== undefined) return known;
  const [look = ""] = /look \w+/.exec(Buffer.from(artifact.body).toString("utf8")) ?? [];
  LOOKS.set(artifact, look);
  return look;
}
