import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { Cache, CacheEntry } from "./cache.ts";
import { noCache } from "./none.ts";

/** How long a statement waits for another process's: as long as making a few values takes. */
const BUSY_MS = 500;
/** Entries that go at once when the file is full. */
const DROPPED = 200;
/** A file of another layout is begun anew. */
const VERSION = 1;
const CHECKSUM_BYTES = 4;

/**
 * Keeps values in a SQLite file of at most `maxBytes`, or a little more. It is not synced: after a
 * power cut it may be damaged, which checksums show. A file that cannot be read is begun anew; one
 * that cannot be used (a full disk, no rights) keeps nothing. It is made when it is first asked;
 * several processes may use it.
 */
export function openSqliteCache(file: string, maxBytes: number): Cache {
  let opened: Cache | undefined;
  const cache = () => {
    opened ??= attempt(() => sqliteCache(open(file), maxBytes)) ?? unusable(file);
    return opened;
  };
  return {
    get: (keys) => cache().get(keys),
    has: (keys) => cache().has(keys),
    drop: (keys) => cache().drop(keys),
    set: (entries) => cache().set(entries),
    clear: () => cache().clear(),
    async [Symbol.asyncDispose]() {
      await opened?.[Symbol.asyncDispose]();
    },
  };
}

/** Keeps nothing; what a file holds that cannot be used, it cannot forget. */
function unusable(file: string): Cache {
  return { ...noCache, clear: async () => !existsSync(file) };
}

function open(file: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true });
  try {
    return prepared(file);
  } catch {
    for (const each of [file, `${file}-journal`]) rmSync(each, { force: true });
    return prepared(file);
  }
}

function prepared(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    const version = database.prepare("PRAGMA user_version").get()?.["user_version"];
    if (version !== 0 && version !== VERSION) throw new Error("another layout");
    // What is added needs no journal, so each value is written once; with a log it would be twice.
    database.exec("PRAGMA page_size = 8192; PRAGMA journal_mode = TRUNCATE");
    database.exec("PRAGMA synchronous = OFF");
    database.exec(
      `CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, value BLOB NOT NULL);
      PRAGMA user_version = ${VERSION}`,
    );
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function sqliteCache(database: DatabaseSync, maxBytes: number): Cache {
  const found = database.prepare("SELECT value FROM kept WHERE key = ?");
  const keep = database.prepare("INSERT OR REPLACE INTO kept (key, value) VALUES (?, ?)");
  const there = database.prepare("SELECT 1 FROM kept WHERE key = ?");
  const forget = database.prepare("DELETE FROM kept WHERE key = ?");
  const dropOldest = database.prepare(
    `DELETE FROM kept WHERE id IN (SELECT id FROM kept ORDER BY id LIMIT ${DROPPED})`,
  );
  const size = database.prepare(
    `SELECT (page_count - freelist_count) * page_size AS bytes
      FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
  );
  const isFull = () => Number(size.get()?.["bytes"]) > maxBytes;
  return {
    async get(keys) {
      const one = (key: Uint8Array) => checked(key, found.get(key)?.["value"]);
      // Together they lock the file once; each is tried, as parts of it may be damaged.
      const all = attempt(() => {
        return transaction(database, "BEGIN", () => keys.map((key) => attempt(() => one(key))));
      });
      return all ?? keys.map(() => undefined);
    },
    async has(keys) {
      const all = attempt(() => {
        return transaction(database, "BEGIN", () =>
          keys.map((key) => there.get(key) !== undefined),
        );
      });
      return all ?? keys.map(() => false);
    },
    async drop(keys) {
      attempt(() => {
        transaction(database, "BEGIN IMMEDIATE", () => {
          for (const key of keys) forget.run(key);
        });
      });
    },
    async set(entries) {
      attempt(() => {
        transaction(database, "BEGIN IMMEDIATE", () => {
          for (const { key, value } of entries) keep.run(key, summed({ key, value }));
          while (isFull() && dropOldest.run().changes > 0);
        });
      });
    },
    async clear() {
      const isCleared = attempt(() => {
        database.exec("PRAGMA secure_delete = ON; DELETE FROM kept; PRAGMA secure_delete = OFF");
        // Else the file would keep its length, and what went before.
        database.exec("VACUUM");
        return true;
      });
      return isCleared ?? false;
    },
    async [Symbol.asyncDispose]() {
      database.close();
    },
  };
}

function transaction<T>(database: DatabaseSync, begin: string, act: () => T): T {
  database.exec(begin);
  try {
    const result = act();
    database.exec("COMMIT");
    return result;
  } finally {
    if (database.isTransaction) database.exec("ROLLBACK");
  }
}

/** A value after a checksum of key and value. */
function summed({ key, value }: CacheEntry): Uint8Array {
  const bytes = Buffer.allocUnsafe(CHECKSUM_BYTES + value.length);
  bytes.writeUInt32BE(crc32(value, crc32(key)));
  bytes.set(value, CHECKSUM_BYTES);
  return bytes;
}

function checked(key: Uint8Array, stored: unknown): Uint8Array | undefined {
  if (!(stored instanceof Uint8Array) || stored.length < CHECKSUM_BYTES) return undefined;
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  const value = bytes.subarray(CHECKSUM_BYTES);
  return bytes.readUInt32BE() === crc32(value, crc32(key)) ? value : undefined;
}

/** A cache that is locked, damaged or full is one that has nothing. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
