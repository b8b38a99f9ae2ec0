import type { Artifact } from "../site.ts";
import { bytesTag } from "./bytes-tag.ts";
import { conflict } from "./conflict.ts";
import type { ObjectStore, StoredHead, StoredVersion } from "./store.ts";

/** What was put, by the key and then by version: the first is 0. */
export type MemoryVersions = Map<string, readonly Artifact[]>;

/**
 * Keeps objects in a map, and given `versions` also what they were. A whole store, not a mock: tests
 * may read back what was put. As in S3, an entity tag covers the bytes only.
 */
export function memoryStore(
  objects = new Map<string, Artifact>(),
  versions?: MemoryVersions,
): ObjectStore {
  const writers = new Map<string, string | undefined>();
  const find = (key: string, version: string | undefined) =>
    version === undefined ? objects.get(key) : versions?.get(key)?.[Number(version)];
  return {
    name: "memory",
    foldsCase: false,
    isConditional: true,
    deleteConditions: "together",
    lateWritesMs: 0,
    keepsHeaders: true,
    check: async () => {},
    async *list(prefix) {
      for (const [key, artifact] of objects) {
        if (!key.startsWith(prefix)) continue;
        yield { key, etag: etagOf(artifact), bytes: artifact.body.length };
      }
    },
    get: async (key, version) => find(key, version),
    async head(key, version) {
      const found = find(key, version);
      return found && headOf(found, version === undefined ? writers.get(key) : undefined);
    },
    keepsVersions: async () => versions !== undefined,
    versions: async (key) => versionsOf(versions?.get(key) ?? []),
    async put(artifact, { expected, id, copyOf } = {}) {
      const { key } = artifact;
      const etag = tagOf(objects.get(key));
      if (expected !== undefined && expected !== etag) throw conflict("memory", key);
      const { body } = copyOf === undefined ? artifact : (find(key, copyOf) ?? artifact);
      // A copy, as every store makes one: the caller may use its buffer again.
      const stored = { ...artifact, body: Uint8Array.from(body) };
      objects.set(key, stored);
      versions?.set(key, [...(versions.get(key) ?? []), stored]);
      writers.set(key, id);
      return etagOf(stored);
    },
    async delete(keys, { expected } = {}) {
      const refused = keys.filter((key) => isOther(objects.get(key), expected?.get(key)));
      for (const key of keys) if (!refused.includes(key)) objects.delete(key);
      return refused;
    },
    async erase(keys, { keepsCurrent = false } = {}) {
      if (!keepsCurrent) for (const key of keys) objects.delete(key);
      if (versions !== undefined) for (const key of keys) forget(versions, key, objects.get(key));
    },
    removeRemains: async () => {},
  };
}

function versionsOf(all: readonly Artifact[]): readonly StoredVersion[] {
  return all.map((each, n) => ({ version: String(n), etag: etagOf(each) })).toReversed();
}

/** Forgets all versions but the one that is there. */
function forget(versions: MemoryVersions, key: string, there: Artifact | undefined): void {
  if (there === undefined) versions.delete(key);
  else versions.set(key, [there]);
}

function isOther(there: Artifact | undefined, expected: string | undefined): boolean {
  return there !== undefined && expected !== undefined && etagOf(there) !== expected;
}

function tagOf(there: Artifact | undefined): string | null {
  return there === undefined ? null : etagOf(there);
}

function headOf({ key: _, body, hash, ...headers }: Artifact, writeId?: string): StoredHead {
  return { ...headers, etag: etagOf({ body }), writeId, hash: hash.toString("hex") };
}

function etagOf({ body }: Pick<Artifact, "body">): string {
  return bytesTag(body);
}
