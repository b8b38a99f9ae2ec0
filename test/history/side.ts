import type { DatabaseSync } from "node:sqlite";
import type { Cdn } from "../../src/invalidate/cdn.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import { type Artifact, tablesOf } from "../../src/site.ts";
import { openEmptyLedger } from "../pipeline/empty-ledger.ts";
import { SITE } from "../pipeline/small-site.ts";

/** A ledger, a store and a CDN, and what was done to them. */
export interface Side {
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
  /** What was deleted so far may be followed by puts: it went first. */
  excuse(): void;
  /** Every row of the ledger. */
  dump(): Promise<string>;
}

/** A ledger that is used again and again. */
export interface ReusedLedger extends AsyncDisposable {
  /** The empty ledger, with a new store and CDN. */
  side(): Side;
}

/** Makes a ledger, in memory unless a file is named. */
export async function openReused(file?: string): Promise<ReusedLedger> {
  const { ledger, database, tables, empty, ...open } = await openEmptyLedger(file);
  const dumps = tables.map((table) => database.prepare(dumpOf(database, table)));
  return {
    ...open,
    side() {
      empty();
      return sideOf(ledger, async () => JSON.stringify(dumps.map((each) => each.get())));
    },
  };
}

/** SQL of one text of all rows: objects of JavaScript for each of them would take ten times as long. */
function dumpOf(database: DatabaseSync, table: string): string {
  const columns = database.prepare(`SELECT * FROM ${table}`).columns();
  const row = columns.map(({ name }) => `quote(${name})`).join(" || ',' || ");
  return `SELECT group_concat(${row}, ';') AS text FROM ${table}`;
}

/** A new store and a CDN beside a ledger. */
export function sideOf(ledger: Ledger, dump: () => Promise<string>): Side {
  const objects = new Map<string, Artifact>();
  return { ledger, objects, ...recording(objects), dump };
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
  const excuse = () => {
    deletes = 0;
  };
  return { store, cdn, puts, items, late, forget, excuse };
}
