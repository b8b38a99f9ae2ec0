import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { Cache } from "../../src/cache/cache.ts";
import type { RunEvent, Summary } from "../../src/events.ts";
import type { Cdn } from "../../src/invalidate/cdn.ts";
import type { Ledger, Quarantined } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import type { BuildOptions, Wired } from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import type { Artifact } from "../../src/site.ts";
import { decodeKey, keyName } from "../../src/site.ts";
import { DAY, fillTopics, START } from "./rows.ts";
import {
  bake,
  openSmall,
  type SmallSite,
  scratch,
  served,
  shown,
  smallSite,
} from "./small-site.ts";

/** A small site with its rows, one ledger and one store; builds happen at `now`. */
export interface World extends AsyncDisposable {
  readonly site: SmallSite;
  readonly objects: Map<string, Artifact>;
  readonly store: ObjectStore;
  readonly cdn: Cdn | undefined;
  /** µs */
  now: number;
  /** Runs one statement on the source. */
  sql(text: string, ...values: readonly SQLInputValue[]): void;
  /** Writes a published post with these columns, and the listing table. */
  post(id: number, columns?: Readonly<Record<string, SQLInputValue>>): void;
  /** Changes one column of a post, and the listing table. */
  edit(id: number, column: string, value: SQLInputValue): void;
  /** Drops what keeps bad values out of the tables. */
  loosen(): void;
  /** Builds with parts changed as `rewire` says. */
  bake(
    options?: Partial<BuildOptions>,
    rewire?: (wired: Wired) => Wired,
  ): Promise<Summary & { readonly events: readonly RunEvent[] }>;
  /** Opens the pipeline for one deed. */
  with<T>(work: (wired: Wired) => Promise<T>): Promise<T>;
  /** What is served, as text by key. */
  shown(): Readonly<Record<string, string>>;
  scratch(): Promise<Readonly<Record<string, string>>>;
  /** Closes the ledger until it is next asked: meanwhile all of it is in its file. */
  rest(): Promise<void>;
  /** Asks the ledger one question. */
  ledger<T>(ask: (ledger: Ledger) => Promise<T>): Promise<T>;
}

interface WorldParts {
  readonly cdn?: Cdn;
  /** The store keeps what objects were. */
  readonly isVersioned?: boolean;
  /** Where it is kept what pages were. */
  readonly kept?: Cache;
  /** What the store holds its objects in. */
  readonly objects?: Map<string, Artifact>;
  /** Wraps the store in memory. */
  readonly wrap?: (store: ObjectStore) => ObjectStore;
}

/** Makes a world; `posts` of them are there, one a day until `START`, by one author on one topic. */
export async function smallWorld(posts: number, parts: WorldParts = {}): Promise<World> {
  const site = await smallSite();
  const objects = parts.objects ?? new Map<string, Artifact>();
  const store = (parts.wrap ?? ((same) => same))(
    memoryStore(objects, parts.isVersioned ? new Map() : undefined),
  );
  const change = (work: (database: DatabaseSync) => void) => {
    const database = new DatabaseSync(site.source);
    try {
      work(database);
    } finally {
      database.close();
    }
  };
  // Opened once: what is prepared for it takes longer than what most tests ask of it.
  let opened: Promise<Ledger & AsyncDisposable> | undefined;
  const ledgerOnce = () => {
    opened ??= openSqliteLedger(join(site.dir, "ledger.db"));
    return opened;
  };
  const world: World = {
    site,
    objects,
    store,
    cdn: parts.cdn,
    now: START,
    sql: (text, ...values) => change((database) => database.prepare(text).run(...values)),
    post: (id, columns = {}) => change((database) => writePost(database, id, columns)),
    edit: (id, column, value) =>
      change((database) => {
        database.prepare(`UPDATE posts SET ${column} = ? WHERE id = ?`).run(value, id);
        fillTopics(database);
      }),
    loosen: () => change(loosen),
    bake: (options = {}, rewire = (same) => same) =>
      world.with((wired) => bake(rewire(wired), { now: () => world.now, ...options })),
    async with(work) {
      const { cdn, kept } = parts;
      await using wired = await openSmall(site, {
        ledger: await ledgerOnce(),
        store,
        ...(cdn === undefined ? {} : { cdn }),
      });
      return await work(kept === undefined ? wired : { ...wired, kept });
    },
    shown: () => shown(served(objects)),
    scratch: async () => shown(await scratch(site, world.now)),
    async rest() {
      const last = opened;
      opened = undefined;
      await (await last)?.[Symbol.asyncDispose]();
    },
    async ledger(ask) {
      return await ask(await ledgerOnce());
    },
    async [Symbol.asyncDispose]() {
      await world.rest();
      await site[Symbol.asyncDispose]();
    },
  };
  change((database) => {
    for (let id = 1; id <= posts; id += 1) writePost(database, id, {});
  });
  return world;
}

/** Failures that a run told: kind, key, code, and the place as table, key and column. */
export function failures(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) => {
    if (event.event !== "failed") return [];
    const { code, at } = event.error;
    const place = ["table", "key", "column"].map((name) => at[name] ?? "-").join(" ");
    return [`${event.kind} ${event.key}: ${code} at ${place}`];
  });
}

/** Quarantined pages as `kind key`. */
export function names(quarantined: readonly Quarantined[]): readonly string[] {
  return quarantined.map(({ kind, key }) => `${kind} ${keyName(decodeKey(key))}`);
}

function writePost(
  database: DatabaseSync,
  id: number,
  columns: Readonly<Record<string, SQLInputValue>>,
): void {
  const row = {
    id,
    slug: `p${id}`,
    title: `Title ${id}`,
    body: "",
    author: "ann",
    topic: "x",
    status: "published",
    published_at: START - (100 - id) * DAY,
    ...columns,
  };
  const marks = Object.keys(row).map(() => "?");
  database
    .prepare(`INSERT OR REPLACE INTO posts (${Object.keys(row)}) VALUES (${marks})`)
    .run(...Object.values(row));
  fillTopics(database);
}

/** Drops what keeps bad values out of the tables. */
export function loosen(database: DatabaseSync): void {
  for (const table of ["posts", "people", "topics"]) {
    const [made] = database.prepare("SELECT sql FROM sqlite_schema WHERE name = ?").all(table);
    const text = String(made?.["sql"]).replace(" STRICT", "").replaceAll(" NOT NULL", "");
    database.exec(`ALTER TABLE ${table} RENAME TO strict; ${text};
      INSERT INTO ${table} SELECT * FROM strict; DROP TABLE strict`);
  }
}
