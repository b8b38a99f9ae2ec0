import { DatabaseSync } from "node:sqlite";
import type { Cdn } from "../../src/invalidate/cdn.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import { type Artifact, tablesOf } from "../../src/site.ts";
import { SITE } from "../pipeline/small-site.ts";

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
  dump(): Promise<string>;
}

/** Opens a side whose ledger is the SQLite file. */
export async function openSide(file: string): Promise<Side> {
  await using stack = new AsyncDisposableStack();
  const ledger = stack.use(await openSqliteLedger(file));
  const reader = new DatabaseSync(file, { readOnly: true, readBigInts: true });
  stack.defer(() => reader.close());
  const tables = reader.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const all = async () =>
    JSON.stringify(
      tables.map(({ name }) => reader.prepare(`SELECT * FROM ${name}`).all().map(plain)),
    );
  const open = stack.move();
  return sideOf(ledger, all, () => open.disposeAsync());
}

/** A new store and a CDN beside a ledger. */
export function sideOf(
  ledger: Ledger,
  dump: () => Promise<string>,
  close: () => Promise<void>,
): Side {
  const objects = new Map<string, Artifact>();
  return { ledger, objects, ...recording(objects), dump, [Symbol.asyncDispose]: close };
}

/** More than a small site has of anything. */
const ALL = 10_000;

/** What a ledger knows of rows, pages and who reads what, whatever runs led there. */
export async function factsOf(ledger: Ledger): Promise<string> {
  const kinds = await ledger.liveKinds();
  const pages = await Promise.all(kinds.map((kind) => ledger.live(kind, undefined, ALL)));
  const names = tablesOf(SITE.kinds).map(({ name }) => name);
  const rows = await Promise.all(names.map((name) => ledger.known(name, undefined, ALL)));
  const readers = await ledger.readersBetween(Buffer.alloc(0), Buffer.alloc(9, 0xff));
  return JSON.stringify(
    [
      // The last put and its cause depend on the runs.
      pages.flat().map((page) => plain({ ...page, release: 0, cause: 0 })),
      rows.map((each) => each.map(plain)),
      (await ledger.dueRows(Number.MAX_SAFE_INTEGER, undefined, ALL)).map(plain),
      readers.map(({ kind, key }) => `${kind} ${Buffer.from(key).toString("hex")}`).sort(),
    ],
    undefined,
    1,
  );
}

/** The values of a row, bytes as text. */
export function plain(row: object): readonly unknown[] {
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
    async delete(keys, deletion) {
      deletes += keys.length;
      return await inner.delete(keys, deletion);
    },
  };
  const cdn: Cdn = {
    name: "recording",
    isCaching: true,
    hasTags: true,
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
