import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Artifact } from "../../src/site.ts";
import { type CloudFrontApi, startCloudFrontApi } from "../services/cloudfront-api.ts";
import type { Invalidation } from "../services/invalidations.ts";
import type { S3Object } from "../services/memory-objects.ts";
import { type MemoryS3, startMemoryS3 } from "../services/memory-s3.ts";
import type { Places } from "./asked.ts";
import { type Edge, openEdge, shownHeaders } from "./edge.ts";

/** Objects as text by key. */
export type Shown = Readonly<Record<string, string>>;

/** What was there at one moment. */
export interface Saved {
  /** Makes it so again. */
  readonly restore: () => void;
}

/** Where a scenario publishes, with all that a test may see of it from outside. */
export interface Place extends AsyncDisposable {
  readonly name: string;
  /** For the processes. */
  readonly places: Pick<Places, "store" | "cdn">;
  /** What is there, to be put back: objects and cached copies. */
  save(name: string): Saved;
  /** Another hand deletes the first of these objects and writes the others; readers have seen it. */
  damage(keys: readonly string[]): void;
  /** Takes everything out of the store. */
  wipe(): void;
  /** Waits for what dead processes have asked for. */
  settled(): Promise<void>;
  /** Every object as text by key, with its headers if they are kept; without the marker. */
  shown(): Shown;
  /** An artifact as {@link shown} would show it. */
  showArtifact(artifact: Artifact): string;
  /** What changes with every write and every invalidation, also with those that change nothing. */
  trail(): string;
  /** Paths at which readers see something old. */
  stale(): readonly string[];
  /** Accepted since the last restoration. */
  invalidations(): readonly Invalidation[];
}

/** A bucket and a CDN before it, which can be told to fail. */
export interface Bucket extends Place {
  readonly faults: { readonly s3: MemoryS3["faults"]; readonly cdn: CloudFrontApi["faults"] };
}

/** An S3 server with a CDN before it, both over HTTP. */
export async function openBucket(): Promise<Bucket> {
  await using parts = new AsyncDisposableStack();
  let edge: Edge;
  const s3 = parts.use(await startMemoryS3({ onWrite: (key) => edge.wrote(key) }));
  edge = openEdge(s3.objects);
  const evict = (items: readonly string[]) => edge.evict(items);
  const api = parts.use(await startCloudFrontApi({ evict, completesAfterMs: 1 }));
  const { endpoint, bucket, objects } = s3;
  const open = parts.move();
  return {
    name: "bucket",
    faults: { s3: s3.faults, cdn: api.faults },
    places: {
      store: { s3: endpoint, bucket },
      cdn: { endpoint: api.endpoint, distributionId: api.distributionId },
    },
    save() {
      const [kept, copies] = [new Map(objects), new Map(edge.copies)];
      return {
        restore() {
          objects.clear();
          for (const [key, object] of kept) objects.set(key, object);
          edge = openEdge(objects, copies);
          api.forget();
        },
      };
    },
    damage([first = "", ...others]) {
      objects.delete(first);
      const body = Buffer.from("foreign");
      for (const key of others) objects.set(key, { headers: { etag: '"foreign"' }, body });
      edge = openEdge(objects);
    },
    wipe: () => objects.clear(),
    async settled() {
      await s3.settled();
      while (api.invalidations().some(({ status }) => status !== "Completed")) await sleep(1);
    },
    shown: () => shownKeys(objects.keys(), (key) => show(objects.get(key) as S3Object)),
    showArtifact: (artifact) => show(asObject(artifact)),
    trail: () => `${s3.writes()} ${api.invalidations().length}`,
    stale: () => edge.stale(),
    invalidations: api.invalidations,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** A folder, which keeps no headers; nothing caches it. `dir` is for it and for what is saved. */
export function openFolder(dir: string): Place {
  const folder = join(dir, "out");
  const files = () =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
  return {
    name: "folder",
    places: { store: { folder }, cdn: undefined },
    save(name) {
      const copy = join(dir, `out-${name}`);
      mkdirSync(folder, { recursive: true });
      cpSync(folder, copy, { recursive: true });
      return {
        restore() {
          rmSync(folder, { recursive: true, force: true });
          cpSync(copy, folder, { recursive: true });
        },
      };
    },
    damage([first = "", ...others]) {
      rmSync(join(folder, first));
      for (const key of others) writeFileSync(join(folder, key), "foreign");
    },
    wipe: () => rmSync(folder, { recursive: true }),
    settled: async () => {},
    shown: () => shownKeys(files(), (key) => readFileSync(join(folder, key), "latin1")),
    showArtifact: ({ body }) => Buffer.from(body).toString("latin1"),
    // A put renames a new file into place.
    trail: () => JSON.stringify(files().map((key) => [key, statSync(join(folder, key)).ino])),
    stale: () => [],
    invalidations: () => [],
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Names with a dot are the store's own; only the marker may be there when no process is. */
function shownKeys(keys: Iterable<string>, show: (key: string) => string): Shown {
  const own = [...keys].filter((key) => key !== ".nightbake.json").sort();
  return Object.fromEntries(own.map((key) => [key, show(key)]));
}

function show(object: S3Object): string {
  return `${object.body.toString("latin1")}\n${shownHeaders(object)}`;
}

function asObject({
  body,
  contentType,
  cacheControl,
  contentLanguage,
  metadata,
}: Artifact): S3Object {
  const own = Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]);
  const headers = {
    "content-type": contentType,
    "cache-control": cacheControl,
    ...(contentLanguage !== undefined && { "content-language": contentLanguage }),
    ...Object.fromEntries(own),
  };
  return { headers, body: Buffer.from(body) };
}
