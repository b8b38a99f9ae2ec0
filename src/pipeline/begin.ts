import { randomUUID } from "node:crypto";
import { PipelineError } from "../error.ts";
import type { KnownBar } from "../ledger/ledger.ts";
import { checkEmpty } from "../publish/guards.ts";
import { type AnyTable, type Instant, listsOf, tablesOf } from "../site.ts";
import { noRows } from "../source/no-rows.ts";
import type { Fence, Position, Rows } from "../source/source.ts";
import { isStoreKnown } from "./marker.ts";
import type { Wired } from "./run.ts";

/** The ledger's note of the run that last began to publish. */
export const PUBLISHER = "publisher";
/** The ledger's note of the run that last finished; another publisher was cut off. */
export const FINISHER = "finisher";
/** The ledger's note of the tables that held rows, see {@link Tables.filled}. */
export const TABLES = "tables";

/** What a run works on: the rows of one moment, and whether the store is what the ledger says. */
export interface Begun extends AsyncDisposable {
  readonly run: string;
  /** µs */
  readonly now: Instant;
  readonly rows: Rows;
  /** The ledger's, as of before the rows were read. */
  readonly notes: ReadonlyMap<string, string>;
  readonly isStoreTrusted: boolean;
  /** As of before the rows were read: whoever published since may have read newer ones. */
  readonly last: { readonly release: number; readonly publisher: string | undefined };
  /** A run has published since the last release and did not finish. */
  readonly isCutOff: boolean;
  readonly tables: Tables;
  /** See `Run.shown`. */
  readonly shown?: Position | undefined;
  /** As of before the rows were read. */
  readonly bars: readonly KnownBar[];
}

interface Tables {
  /** Names of those that hold rows now, joined by ",". */
  readonly filled: string;
  /** The same as of the last release. */
  readonly before: string | undefined;
  /** Declared tables that held rows then and hold none now. */
  readonly emptied: readonly string[];
}

interface BeginOptions extends Fence {
  readonly now: Instant;
  readonly allowDeletes: boolean;
}

/**
 * Checks everything a run will need before anything is changed.
 * @throws PipelineError when the source, the store or the ledger cannot be used
 */
export async function begin(
  wired: Wired,
  { now, allowDeletes, ...fence }: BeginOptions,
): Promise<Begun> {
  const { site, source } = wired;
  const declared = tablesOf(site.kinds);
  await source.check(declared, listsOf(site.kinds));
  const before = await beforeRows(wired);
  const rows = await source.read(now, fence);
  const close = () => rows[Symbol.asyncDispose]();
  try {
    const tables = await compareTables(before.notes.get(TABLES), rows, declared);
    if (!allowDeletes) checkEmpty(tables.emptied);
    return { ...before, now, rows, tables, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * The same for a run that makes no page of rows, so that it works while the database does not.
 * @throws PipelineError when the store or the ledger cannot be used
 */
export async function beginWithoutRows(wired: Wired, now: Instant): Promise<Begun> {
  const known = await beforeRows(wired);
  const before = known.notes.get(TABLES);
  const tables = { filled: before ?? "", before, emptied: [] };
  return { ...known, now, rows: noRows, tables, async [Symbol.asyncDispose]() {} };
}

/** What store and ledger say; asked before any row is read. */
async function beforeRows(wired: Wired) {
  const { store, ledger } = wired;
  await store.check();
  const [release, notes, bars] = await Promise.all([
    ledger.release(),
    ledger.notes(),
    ledger.bars(),
  ]);
  const publisher = notes.get(PUBLISHER);
  return {
    run: randomUUID(),
    notes,
    bars,
    isStoreTrusted: await isStoreKnown(wired, notes),
    last: { release, publisher },
    isCutOff: notes.get(FINISHER) !== publisher,
  };
}

async function compareTables(
  before: string | undefined,
  rows: Rows,
  declared: readonly AnyTable[],
): Promise<Tables> {
  const isEmpty = await Promise.all(declared.map((table) => rows.isEmpty(table)));
  const empty = declared.filter((_, at) => isEmpty[at]).map(({ name }) => name);
  const filled = declared.map(({ name }) => name).filter((name) => !empty.includes(name));
  const emptied = empty.filter((name) => before?.split(",").includes(name));
  return { filled: filled.join(","), before, emptied };
}

/** The error of a run that the operator stopped. */
export function interrupted(): PipelineError {
  return new PipelineError("interrupted", "The run was stopped.", {
    hint: "Run it again: it goes on where this one stopped. What is live is consistent.",
  });
}
