import { DatabaseSync } from "node:sqlite";
import type { Cdn } from "../../src/invalidate/cdn.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import type { Artifact } from "../../src/site.ts";

/** A ledger, a store and a CDN, and what was done to them. */
export interface Side extends AsyncDisposable {
  readonly ledger: Ledger;
  readonly store: ObjectStore;
  readonly cdn: Cdn;
  readonly objects: Map<string, Artifact>;
  /** Keys put and items invalidated since `forget`. */
  readonly puts: string[];
  readonly items: string[];
  /** Keys put after something was deleted. */
  readonly late: string[];
  forget(): void;
  /** Every row of the ledger. */
  dump(): string;
  /** What the ledger knows of rows, pages and who reads what, whatever runs led there. */
  known(): string;
}

/** Opens a side whose ledger is in `file`. */
export async function openSide(file: string): Promise<Side> {
  const ledger = await openSqliteLedger(file);
  const reader = new DatabaseSync(file, { readOnly: true, readBigInts: true });
  const objects = new Map<string, Artifact>();
  const tables = reader.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const all = (queries: readonly string[]) =>
    JSON.stringify(queries.map((each) => reader.prepare(each).all().map(plain)));
  return {
    ledger,
    objects,
    ...recording(objects),
    dump: () => all(tables.map(({ name }) => `SELECT * FROM ${name}`)),
    known: () => all(FACTS),
    async [Symbol.asyncDispose]() {
      reader.close();
      await ledger[Symbol.asyncDispose]();
    },
  };
}

const FACTS = [
  `SELECT n.name, page_key, route, start, hash, bytes, trace, lastmod FROM nb_live
    JOIN nb_name n ON n.id = kind ORDER BY 1, 2`,
  "SELECT n.name, row_key, hash, deps, due_at FROM nb_row JOIN nb_name n ON n.id = tbl ORDER BY 1, 2",
  "SELECT * FROM nb_due",
  `SELECT read_key, n.name, page_key FROM nb_reader JOIN nb_name n ON n.id = kind ORDER BY 1, 2, 3`,
  "SELECT * FROM nb_failed",
];

function plain(row: object): readonly unknown[] {
  return Object.values(row).map((value) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
    return typeof value === "bigint" ? Number(value) : value;
  });
}

function recording(objects: Map<string, Artifact>) {
  const [puts, items, late]: [string[], string[], string[]] = [[], [], []];
  const inner = memoryStore(objects);
  let deletes = 0;
  const store: ObjectStore = {
    ...inner,
    async put(artifact, write) {
      const etag = await inner.put(artifact, write);
      puts.push(artifact.key);
      if (deletes > 0) late.push(artifact.key);
      return etag;
    },
    async delete(keys) {
      deletes += keys.length;
      await inner.delete(keys);
    },
  };
  const cdn: Cdn = {
    name: "recording",
    isCaching: true,
    batchItems: 1000,
    async send(batch) {
      items.push(...batch.items);
      return batch.id;
    },
    isCompleted: async () => true,
  };
  const forget = () => {
    for (const each of [puts, items, late]) each.length = 0;
    deletes = 0;
  };
  return { store, cdn, puts, items, late, forget };
}
