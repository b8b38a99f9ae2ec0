import { randomUUID } from "node:crypto";
import { PipelineError } from "../error.ts";
import { countFolders } from "./folders.ts";
import { asText } from "./rows.ts";
import { query, type SqlDatabase, type Work } from "./sql.ts";

/** What differs between the dialects' tables. */
export interface Dialect {
  /** For messages: `SQLite file /var/x.db`, `MySQL database nightbake`. Never a password. */
  readonly name: string;
  /** Lists the tables there are, as `name`. */
  readonly tables: string;
  /** Other programs may keep tables here too. */
  readonly isShared: boolean;
  readonly types: Types;
  /** Lists the columns of a table, as `name`. */
  columns(table: string): string;
  /** Statements that make a table unless it exists, its rows stored in its primary key. */
  createTable(shape: TableShape): readonly string[];
}

/** Column types by what they hold. All text is compared and ordered by its UTF-8 bytes, unpadded. */
export interface Types {
  readonly kind: string;
  /** An encoded key. */
  readonly key: string;
  /** What a page shares with others: a digest's first bytes, perhaps a place after them. */
  readonly read: string;
  /** A route or an object name. */
  readonly route: string;
  readonly name: string;
  readonly text: string;
  readonly blob: string;
  readonly digest: string;
  /** The first bytes of a digest. */
  readonly short: string;
  readonly int: string;
  readonly tiny: string;
  /** A number of `nb_name`. */
  readonly number: string;
}

/** One table and the columns of its second index, if it has one. */
export interface TableShape {
  readonly name: string;
  /** Column definitions and primary key, as SQL. */
  readonly columns: string;
  readonly index?: string;
}

/** A column that may be NULL, added unless the table has it. */
interface Added {
  readonly table: string;
  readonly column: string;
  readonly type: string;
}

/** What takes more than a statement. */
type Fill = () => Work<void>;

const META = "nightbake_meta";

/** Numbered from 1. Released migrations are never edited; each can run again after it was cut off. */
const MIGRATIONS: readonly ((dialect: Dialect) => readonly (string | Added | Fill)[])[] = [
  firstTables,
  rowTables,
  routeTable,
  numberedTables,
  rebuiltTable,
  sinceTable,
  pastTable,
  leavingTable,
  barTable,
  adoptedTable,
  lingeringTable,
  coverTables,
  toldTable,
  rangeTables,
  tokenTable,
  jobTables,
  heardTable,
  tickTable,
  shardTables,
  untilRow,
];

/**
 * Brings the schema up to date and returns the ledger's id. An up-to-date ledger is only read;
 * several processes may do this at once.
 * @throws PipelineError `ledger_rejected` when a newer release made it, or it is something else
 */
export async function openSchema(db: SqlDatabase, dialect: Dialect): Promise<string> {
  const meta = await db.read(() => readMeta(dialect));
  if (meta.version === MIGRATIONS.length) return meta.id;
  return await db.migrate(() => migrate(dialect));
}

function* migrate(dialect: Dialect): Work<string> {
  const { name, text } = dialect.types;
  const columns = `name ${name} NOT NULL PRIMARY KEY, value ${text} NOT NULL`;
  for (const each of dialect.createTable({ name: META, columns })) yield* query(each);
  // Read again: another process may have been faster.
  const meta = yield* readMeta(dialect);
  if (meta.version === 0) yield* setMeta("id", meta.id);
  for (const [at, migration] of MIGRATIONS.entries()) {
    if (at < meta.version) continue;
    for (const each of migration(dialect)) {
      if (typeof each === "string") yield* query(each);
      else yield* typeof each === "function" ? each() : addColumn(each, dialect);
    }
    yield* setMeta("version", String(at + 1));
  }
  return meta.id;
}

function* addColumn({ table, column, type }: Added, dialect: Dialect): Work<void> {
  const columns = (yield* query(dialect.columns(table))).map(({ name }) => asText(name));
  if (!columns.includes(column)) yield* query(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
}

function* readMeta(dialect: Dialect): Work<{ readonly version: number; readonly id: string }> {
  const tables = (yield* query(dialect.tables)).map(({ name }) => asText(name));
  if (!tables.includes(META)) {
    if (tables.length > 0 && !dialect.isShared) throw notALedger(dialect);
    return { version: 0, id: randomUUID() };
  }
  const rows = yield* query(`SELECT name, value FROM ${META}`);
  const meta = new Map(rows.map(({ name, value }) => [asText(name), asText(value)]));
  const version = Number(meta.get("version") ?? 0);
  if (version > MIGRATIONS.length) throw tooNew(dialect, version);
  return { version, id: meta.get("id") ?? randomUUID() };
}

function* setMeta(name: string, value: string): Work<void> {
  yield* query(`REPLACE INTO ${META} (name, value) VALUES (?, ?)`, [name, value]);
}

function firstTables(dialect: Dialect): readonly string[] {
  const shapes = [...pageTables(dialect.types), ...runTables(dialect.types)];
  const lease = "REPLACE INTO nb_lease (slot, holder, expires_ms) VALUES (1, NULL, 0)";
  return [...shapes.flatMap((shape) => dialect.createTable(shape)), lease];
}

function pageTables(t: Types): readonly TableShape[] {
  const id = `kind ${t.kind} NOT NULL, page_key ${t.key} NOT NULL`;
  const place = `route ${t.route} NOT NULL, start ${t.key}`;
  const primary = "PRIMARY KEY (kind, page_key)";
  return [
    {
      name: "nb_page",
      columns: `${id}, ${place}, fold ${t.short} NOT NULL, hash ${t.digest}, etag ${t.name},
        bytes ${t.int} NOT NULL, trace ${t.blob} NOT NULL, lastmod ${t.int},
        release_id ${t.int} NOT NULL, ${primary}`,
      index: "fold",
    },
    {
      name: "nb_step",
      columns: `run ${t.short} NOT NULL, ${id}, phase ${t.tiny} NOT NULL, action ${t.tiny} NOT NULL,
        reason ${t.text} NOT NULL, ${place}, prior ${t.route}, fold ${t.short},
        PRIMARY KEY (run, kind, page_key)`,
      index: "run, fold",
    },
    { name: "nb_intent", columns: `${id}, ${place}, ${primary}` },
    {
      name: "nb_failed",
      columns: `${id}, code ${t.name} NOT NULL, message ${t.text} NOT NULL, place ${t.text} NOT NULL,
        ${primary}`,
    },
  ];
}

function runTables(t: Types): readonly TableShape[] {
  const named = (type: string) => `${type} NOT NULL PRIMARY KEY`;
  const table = (name: string, columns: string): TableShape => ({ name, columns });
  return [
    table(
      "nb_retired",
      `object ${named(t.route)}, due_at ${t.int} NOT NULL, items ${t.text} NOT NULL`,
    ),
    table("nb_waiting", `hash ${named(t.digest)}, item ${t.text} NOT NULL`),
    table(
      "nb_batch",
      `id ${named(t.name)}, seq ${t.int} NOT NULL, items ${t.text} NOT NULL, invalidation ${t.text}`,
    ),
    table(
      "nb_release",
      `id ${named(t.int)}, started_at ${t.int} NOT NULL, finished_at ${t.int}, report ${t.text}`,
    ),
    table("nb_note", `name ${named(t.name)}, value ${t.text} NOT NULL`),
    table("nb_lease", `slot ${named(t.tiny)}, holder ${t.name}, expires_ms ${t.int} NOT NULL`),
  ];
}

/** What is known of the source's rows, and which pages read what they do not own. */
function rowTables(dialect: Dialect): readonly string[] {
  const t = dialect.types;
  const id = `tbl ${t.kind} NOT NULL, row_key ${t.key} NOT NULL`;
  const shapes: readonly TableShape[] = [
    {
      name: "nb_row",
      columns: `${id}, hash ${t.short} NOT NULL, deps ${t.blob} NOT NULL, due_at ${t.int},
        PRIMARY KEY (tbl, row_key)`,
    },
    {
      name: "nb_due",
      columns: `due_at ${t.int} NOT NULL, ${id}, PRIMARY KEY (due_at, tbl, row_key)`,
    },
    {
      name: "nb_seen",
      columns: `run ${t.short} NOT NULL, ${id}, hash ${t.short}, deps ${t.blob}, due_at ${t.int},
        PRIMARY KEY (run, tbl, row_key)`,
    },
    {
      name: "nb_reader",
      columns: `read_key ${t.read} NOT NULL, kind ${t.kind} NOT NULL, page_key ${t.key} NOT NULL,
        PRIMARY KEY (read_key, kind, page_key)`,
    },
  ];
  return shapes.flatMap((shape) => dialect.createTable(shape));
}

/** The route history: routes that pages left, each with the page that had it last. */
function routeTable(dialect: Dialect): readonly string[] {
  const t = dialect.types;
  const id = `kind ${t.kind} NOT NULL, page_key ${t.key} NOT NULL`;
  const columns = `route ${t.route} NOT NULL, ${id}, PRIMARY KEY (route)`;
  return dialect.createTable({ name: "nb_route", columns, index: "kind, page_key" });
}

/**
 * Kinds and tables become numbers, and names of reads shorter (see `read-names.ts`). What is live is
 * kept without its traces, and what is known of rows is forgotten, so that the next build looks at
 * every page; those whose bytes are the same are not put again.
 */
function numberedTables(dialect: Dialect): readonly string[] {
  const t = dialect.types;
  const old = pageTables(t).filter(({ name }) => name === "nb_page");
  const kept = "page_key, route, start, fold, hash, etag, bytes, lastmod, release_id";
  const make = (shapes: readonly TableShape[]) =>
    shapes.flatMap((each) => dialect.createTable(each));
  return [
    // It is gone when this was cut off at its end.
    ...make(old),
    ...make(namedTables(t)),
    "REPLACE INTO nb_name (name, id) SELECT kind, ROW_NUMBER() OVER (ORDER BY kind) FROM (SELECT DISTINCT kind FROM nb_page) AS kinds",
    `REPLACE INTO nb_live (kind, trace, ${kept})
      SELECT (SELECT id FROM nb_name WHERE name = nb_page.kind), X'', ${kept} FROM nb_page`,
    ...["nb_row", "nb_reader"].map((name) => `DROP TABLE IF EXISTS ${name}`),
    ...make(numberedRowTables(t)),
    ...["nb_due", "nb_seen", "nb_step"].map((name) => `DELETE FROM ${name}`),
    // What the last build started from; without it every row and page is looked at.
    "DELETE FROM nb_note WHERE name = 'basis'",
    "DROP TABLE nb_page",
  ];
}

function namedTables(t: Types): readonly TableShape[] {
  return [
    {
      name: "nb_name",
      columns: `name ${t.kind} NOT NULL PRIMARY KEY, id ${t.number} NOT NULL`,
      index: "id",
    },
    {
      name: "nb_live",
      columns: `kind ${t.number} NOT NULL, page_key ${t.key} NOT NULL, route ${t.route} NOT NULL,
        start ${t.key}, fold ${t.short} NOT NULL, hash ${t.digest}, etag ${t.name},
        bytes ${t.int} NOT NULL, trace ${t.blob} NOT NULL, lastmod ${t.int},
        release_id ${t.int} NOT NULL, PRIMARY KEY (kind, page_key)`,
      index: "fold",
    },
  ];
}

function numberedRowTables(t: Types): readonly TableShape[] {
  return [
    {
      name: "nb_row",
      columns: `tbl ${t.number} NOT NULL, row_key ${t.key} NOT NULL, hash ${t.short} NOT NULL,
        deps ${t.blob} NOT NULL, due_at ${t.int}, PRIMARY KEY (tbl, row_key)`,
    },
    {
      name: "nb_reader",
      columns: `read_key ${t.read} NOT NULL, kind ${t.number} NOT NULL, page_key ${t.key} NOT NULL,
        PRIMARY KEY (read_key, kind, page_key)`,
    },
  ];
}

/** Pages that a later build has to look at, because rows that it was not told of may have changed them. */
function rebuiltTable(dialect: Dialect): readonly string[] {
  const { kind, key } = dialect.types;
  const columns = `kind ${kind} NOT NULL, page_key ${key} NOT NULL, PRIMARY KEY (kind, page_key)`;
  return dialect.createTable({ name: "nb_rebuilt", columns });
}

/** When pages that fail began to. */
function sinceTable(dialect: Dialect): readonly string[] {
  const { kind, key, int } = dialect.types;
  const columns = `kind ${kind} NOT NULL, page_key ${key} NOT NULL, since_at ${int} NOT NULL,
    PRIMARY KEY (kind, page_key)`;
  return dialect.createTable({ name: "nb_since", columns });
}

/**
 * What pages were before releases changed them. Releases of before are not told: the first that can
 * be is the last one, or the next after a run that was cut off.
 */
function pastTable(dialect: Dialect): readonly string[] {
  const t = dialect.types;
  const columns = `until_id ${t.int} NOT NULL, kind ${t.number} NOT NULL, page_key ${t.key} NOT NULL,
    route ${t.route} NOT NULL, start ${t.key}, hash ${t.digest}, etag ${t.name}, bytes ${t.int} NOT NULL,
    lastmod ${t.int}, release_id ${t.int} NOT NULL, reason ${t.text} NOT NULL,
    PRIMARY KEY (until_id, kind, page_key)`;
  const of = (name: string) => `(SELECT value FROM nb_note WHERE name = '${name}')`;
  return [
    ...dialect.createTable({ name: "nb_past", columns, index: "kind, page_key" }),
    `REPLACE INTO nb_note (name, value)
      SELECT 'kept_since', COALESCE(MAX(id), 0) + CASE WHEN ${of("publisher")} = ${of("finisher")} THEN 0 ELSE 1 END
      FROM nb_release`,
  ];
}

/** Objects at which a request of a dead process may yet take place, and until when. */
function lingeringTable(dialect: Dialect): readonly string[] {
  const { route, int } = dialect.types;
  const columns = `object ${route} NOT NULL PRIMARY KEY, until_at ${int} NOT NULL`;
  return dialect.createTable({ name: "nb_lingering", columns });
}

/** Objects that wait to be deleted, how long they stay and what they were. */
function leavingTable(dialect: Dialect): readonly string[] {
  const t = dialect.types;
  const columns = `object ${t.route} NOT NULL PRIMARY KEY, due_at ${t.int}, stays ${t.int} NOT NULL,
    items ${t.text} NOT NULL, etag ${t.name}, hash ${t.digest}`;
  const old = runTables(t).filter(({ name }) => name === "nb_retired");
  return [
    // It is gone when this was cut off at its end.
    ...old.flatMap((each) => dialect.createTable(each)),
    ...dialect.createTable({ name: "nb_leaving", columns }),
    "REPLACE INTO nb_leaving (object, due_at, stays, items) SELECT object, due_at, 0, items FROM nb_retired",
    "DROP TABLE IF EXISTS nb_retired",
  ];
}

/** Pages that are taken down. */
function barTable(dialect: Dialect): readonly string[] {
  const { kind, key, route, text, int, tiny } = dialect.types;
  const columns = `kind ${kind} NOT NULL, page_key ${key} NOT NULL, below ${tiny} NOT NULL,
    route ${route} NOT NULL, since_at ${int} NOT NULL, reason ${text} NOT NULL, state ${tiny} NOT NULL,
    erased ${tiny} NOT NULL, routes ${text} NOT NULL, PRIMARY KEY (kind, page_key)`;
  return dialect.createTable({ name: "nb_bar", columns });
}

/** Objects of a store whose ledger was lost, until their pages claim them. */
function adoptedTable(dialect: Dialect): readonly string[] {
  const t = dialect.types;
  const columns = `object ${t.route} NOT NULL PRIMARY KEY, hash ${t.digest}, etag ${t.name}`;
  return dialect.createTable({ name: "nb_adopted", columns });
}

/**
 * What the CDN knows of pages, changes instead of items, and what was told of them. Of pages that are
 * live nobody knows the tags; how many are below each folder is counted.
 */
function coverTables(dialect: Dialect): readonly (string | Added | Fill)[] {
  const { blob, int, text } = dialect.types;
  const add = (table: string, column: string, type: string): Added => ({ table, column, type });
  return [
    add("nb_live", "tags", blob),
    add("nb_leaving", "old", blob),
    add("nb_batch", "cover", int),
    add("nb_batch", "sent_at", int),
    add("nb_batch", "refusal", text),
    ...coverShapes(dialect.types).flatMap((shape) => dialect.createTable(shape)),
    countFolders,
  ];
}

function coverShapes(t: Types): readonly TableShape[] {
  const shape = (table: string, columns: string, index?: string): TableShape => ({
    name: table,
    columns,
    ...(index !== undefined && { index }),
  });
  const numbered = (column: string) => `${column} ${t.int} NOT NULL PRIMARY KEY`;
  return [
    shape(
      "nb_tag",
      `${numbered("id")}, fold ${t.short} NOT NULL, name ${t.key} NOT NULL, live ${t.int} NOT NULL`,
      "fold",
    ),
    shape("nb_folder", `folder ${t.short} NOT NULL PRIMARY KEY, live ${t.int} NOT NULL`),
    shape(
      "nb_change",
      `${numbered("seq")}, route ${t.route} NOT NULL, old ${t.blob} NOT NULL, fresh ${t.blob}`,
    ),
    shape(
      "nb_cover",
      `${numbered("id")}, made_at ${t.int} NOT NULL, until_seq ${t.int} NOT NULL, items ${t.int} NOT NULL,
        report ${t.text} NOT NULL, done_at ${t.int}`,
    ),
    shape("nb_spent", `month ${t.name} NOT NULL PRIMARY KEY, items ${t.int} NOT NULL`),
  ];
}

/** Rows that a change feed told of, until a run has looked at them. */
function toldTable(dialect: Dialect): readonly string[] {
  const { kind, key, int } = dialect.types;
  const columns = `tbl ${kind} NOT NULL, row_key ${key} NOT NULL, generation ${int} NOT NULL,
    PRIMARY KEY (tbl, row_key)`;
  return dialect.createTable({ name: "nb_told", columns });
}

/** Checksums of ranges of known rows, and what a run found of them. */
function rangeTables(dialect: Dialect): readonly string[] {
  const { kind, key, number, short } = dialect.types;
  const known = `tbl ${number} NOT NULL, row_key ${key} NOT NULL, checksum ${short} NOT NULL,
    PRIMARY KEY (tbl, row_key)`;
  const found = `run ${short} NOT NULL, tbl ${kind} NOT NULL, row_key ${key} NOT NULL,
    checksum ${short}, PRIMARY KEY (run, tbl, row_key)`;
  return [
    ...dialect.createTable({ name: "nb_range", columns: known }),
    ...dialect.createTable({ name: "nb_cut", columns: found }),
  ];
}

/** Credentials of the HTTP API. */
function tokenTable(dialect: Dialect): readonly string[] {
  const { name, text, int } = dialect.types;
  const columns = `name ${name} NOT NULL PRIMARY KEY, hash ${name} NOT NULL, scopes ${text} NOT NULL,
    created_at ${int} NOT NULL, used_at ${int}, revoked_at ${int}`;
  return dialect.createTable({ name: "nb_token", columns });
}

/** What is asked of workers, and the code that they have. The lease's second row is a lock, no lease. */
function jobTables(dialect: Dialect): readonly string[] {
  const { int, tiny, name, text } = dialect.types;
  const some = (type: string, ...columns: readonly string[]) =>
    columns.map((column) => `${column} ${type}`).join(", ");
  const needed = (type: string, ...columns: readonly string[]) =>
    some(`${type} NOT NULL`, ...columns);
  const shapes: readonly TableShape[] = [
    {
      name: "nb_job",
      columns: `${needed(int, "id")} PRIMARY KEY, ${needed(tiny, "lane", "state", "is_stopping")},
        ${needed(int, "attempts", "requests", "requested_at", "start_at", "latest_at")},
        ${some(int, "started_at", "finished_at", "held_until")}, ${some(name, "holder", "code")},
        ${needed(text, "work")}, ${some(text, "progress", "outcome", "error")}`,
      index: "state, id",
    },
    {
      name: "nb_request",
      columns: `${needed(int, "job", "id", "at")}, ${needed(name, "asker")}, ask_key ${name},
        ${needed(text, "asked")}, PRIMARY KEY (job, id)`,
      index: "ask_key, asker",
    },
    {
      name: "nb_job_event",
      columns: `${needed(int, "job", "id", "at")}, ${needed(name, "event")}, ${needed(text, "data")},
        PRIMARY KEY (job, id)`,
    },
    {
      name: "nb_code",
      columns: `${needed(name, "fingerprint")} PRIMARY KEY,
        ${needed(int, "first_seen_at", "activated_at", "turn")}`,
    },
  ];
  const turn = "REPLACE INTO nb_lease (slot, holder, expires_ms) VALUES (2, NULL, 0)";
  return [...shapes.flatMap((shape) => dialect.createTable(shape)), turn];
}

/** What a change feed told, by how soon a run is to look at it; also ranges of keys. */
function heardTable(dialect: Dialect): readonly string[] {
  const { kind, key, int, tiny } = dialect.types;
  const columns = `lane ${tiny} NOT NULL, tbl ${kind} NOT NULL, row_key ${key} NOT NULL,
    until_key ${key} NOT NULL, committed_at ${int} NOT NULL, generation ${int} NOT NULL,
    PRIMARY KEY (lane, tbl, row_key)`;
  return [
    // It is gone when this was cut off at its end.
    ...toldTable(dialect),
    ...dialect.createTable({ name: "nb_heard", columns, index: "lane, committed_at" }),
    // An empty key meant every row of the table.
    `REPLACE INTO nb_heard (lane, tbl, row_key, until_key, committed_at, generation)
      SELECT CASE WHEN row_key = X'' THEN 2 ELSE 0 END, tbl, row_key, X'', 0, generation FROM nb_told`,
    "DROP TABLE nb_told",
  ];
}

/** Moments at which the schedule asked for jobs, and from which on it did. */
function tickTable(dialect: Dialect): readonly string[] {
  const { int, tiny, name } = dialect.types;
  const columns = `entry ${name} NOT NULL, at ${int} NOT NULL, schedule ${name} NOT NULL,
    asked_at ${int} NOT NULL, job ${int}, is_joined ${tiny} NOT NULL, PRIMARY KEY (entry, at)`;
  return dialect.createTable({ name: "nb_tick", columns });
}

/**
 * Parts of runs that several processes work on, and pages that those made from other rows than the run
 * read. The lease's third row is a lock, no lease.
 */
function shardTables(dialect: Dialect): readonly string[] {
  const { blob, int, key, kind, name, short, text, tiny } = dialect.types;
  const shapes: readonly TableShape[] = [
    {
      name: "nb_crew",
      columns: `run ${name} NOT NULL PRIMARY KEY, brief ${text} NOT NULL, is_paused ${tiny} NOT NULL`,
    },
    {
      name: "nb_shard",
      columns: `run ${short} NOT NULL, number ${int} NOT NULL, phase ${tiny} NOT NULL, kind ${kind} NOT NULL,
        above ${key}, up_to ${key} NOT NULL, holder ${name}, until_ms ${int} NOT NULL, report ${blob},
        PRIMARY KEY (run, number)`,
    },
    {
      name: "nb_ahead",
      columns: `run ${short} NOT NULL, kind ${kind} NOT NULL, page_key ${key} NOT NULL,
        PRIMARY KEY (run, kind, page_key)`,
    },
  ];
  const turn = "REPLACE INTO nb_lease (slot, holder, expires_ms) VALUES (3, NULL, 0)";
  return [...shapes.flatMap((shape) => dialect.createTable(shape)), turn];
}

/** The end of the lease stands in a row of its own, see `keptUntil`. */
function untilRow(): readonly string[] {
  return [
    `REPLACE INTO nb_lease (slot, holder, expires_ms)
      SELECT 4, NULL, expires_ms FROM nb_lease WHERE slot = 1`,
  ];
}

function notALedger({ name }: Dialect): PipelineError {
  return new PipelineError("ledger_rejected", `The ${name} is not a Nightbake ledger.`, {
    hint: "Name another file; a new ledger is made where none exists.",
  });
}

function tooNew({ name }: Dialect, version: number): PipelineError {
  const message = `The ledger in the ${name} has schema ${version}; this release knows up to ${MIGRATIONS.length}.`;
  return new PipelineError("ledger_rejected", message, {
    hint: "Run the newer release of Nightbake that made it, or upgrade this one.",
  });
}
