import type { Ledger } from "../../src/ledger/ledger.ts";
import { openMysqlLedger } from "../../src/ledger/mysql.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import { openS3Store } from "../../src/publish/s3-store.ts";
import type { ObjectStore, Request } from "../../src/publish/store.ts";
import type { Artifact } from "../../src/site.ts";
import { served, shown } from "../pipeline/small-site.ts";
import { startS3Front } from "../services/s3-front.ts";
import { sharedMariaDb, sharedRadosgw } from "../services/shared.ts";

/** Where publishers race. */
export interface Course {
  readonly store: ObjectStore;
  /** What all writes of the store have left there. */
  readonly objects: ReadonlyMap<string, Artifact>;
  /** A ledger that is shared; the one in the site's folder by default. */
  readonly openLedger?: (() => Promise<Ledger>) | undefined;
  /** What the store itself says it serves, as text by key. */
  shown(): Promise<Readonly<Record<string, string>>>;
}

/** A store in memory, which refuses late requests as S3 does. */
export function memoryCourse(): Course {
  const objects = new Map<string, Artifact>();
  const store = memoryStore(objects);
  return {
    store: {
      ...store,
      async put(artifact, write) {
        sign(write);
        return await store.put(artifact, write);
      },
      async delete(keys, deletion) {
        sign(deletion);
        return await store.delete(keys, deletion);
      },
    },
    objects,
    shown: async () => shown(served(objects)),
  };
}

/** Asks for an end that has not come; who cannot give one throws. */
function sign({ until }: Request = {}): void {
  while (until !== undefined && until() < Date.now());
}

/** A bucket of radosgw behind the front that keeps what AWS keeps, in this process's time. */
export async function openRadosgwCourse(
  ledger: "sqlite" | "mariadb",
): Promise<Course & AsyncDisposable> {
  await using parts = new AsyncDisposableStack();
  const server = await sharedRadosgw();
  const front = parts.use(await startS3Front(server, { nowMs: () => Date.now() }));
  const { endpoint, region, accessKeyId, secretAccessKey } = front;
  const bucket = await server.createBucket();
  const credentials = { accessKeyId, secretAccessKey };
  const store = parts.use(openS3Store({ endpoint, region, bucket, credentials }));
  const url = ledger === "mariadb" ? await (await sharedMariaDb()).createDatabase() : undefined;
  const open = parts.move();
  return {
    ...mirrored(store),
    openLedger: url === undefined ? undefined : () => openMysqlLedger(url),
    shown: async () => shown(served(await objectsIn(store))),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** A store whose objects can be looked at at once. */
function mirrored(store: ObjectStore): Pick<Course, "store" | "objects"> {
  const objects = new Map<string, Artifact>();
  return {
    objects,
    store: {
      ...store,
      async put(artifact, write) {
        const etag = await store.put(artifact, write);
        objects.set(artifact.key, { ...artifact, body: Uint8Array.from(artifact.body) });
        return etag;
      },
      async delete(keys, deletion) {
        const kept = await store.delete(keys, deletion);
        for (const key of keys) if (!kept.includes(key)) objects.delete(key);
        return kept;
      },
    },
  };
}

/** All that a store holds. */
async function objectsIn(store: ObjectStore): Promise<ReadonlyMap<string, Artifact>> {
  const objects = new Map<string, Artifact>();
  for await (const { key } of store.list("")) {
    const object = await store.get(key);
    if (object !== undefined)
      objects.set(key, { key, hash: Buffer.alloc(0), ...object } as Artifact);
  }
  return objects;
}
