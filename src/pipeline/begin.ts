import { randomUUID } from "node:crypto";
import { PipelineError } from "../error.ts";
import { checkEmpty } from "../publish/guards.ts";
import { type AnyTable, type Artifact, digest, tablesOf } from "../site.ts";
import type { Rows } from "../source/source.ts";
import type { Wired } from "./run.ts";

/** Object that ties a store to its ledger. */
const MARKER = ".nightbake.json";

/** What a run works on: the rows of one moment, and whether the store is what the ledger says. */
export interface Begun extends AsyncDisposable {
  readonly run: string;
  readonly rows: Rows;
  readonly isStoreTrusted: boolean;
  /** Tables that hold rows now. */
  readonly filled: readonly string[];
}

/**
 * Checks everything a run will need before anything is changed.
 * @throws PipelineError when the source, the store or the ledger cannot be used
 */
export async function begin(
  { site, source, store, ledger }: Wired,
  { now, allowDeletes }: { readonly now: number; readonly allowDeletes: boolean },
): Promise<Begun> {
  const tables = tablesOf(site.kinds);
  await source.check(tables);
  await store.check();
  const marker = await store.get(MARKER);
  const isStoreTrusted = marker !== undefined && sameBytes(marker.body, markerBody(ledger.id));
  const rows = await source.read(now);
  try {
    const isEmpty = await Promise.all(tables.map((table) => rows.isEmpty(table)));
    const filled = tables.filter((_, at) => isEmpty[at] === false).map(({ name }) => name);
    if (!allowDeletes) checkEmpty(await emptied(ledger, tables, filled));
    const close = () => rows[Symbol.asyncDispose]();
    return { run: randomUUID(), rows, isStoreTrusted, filled, [Symbol.asyncDispose]: close };
  } catch (error) {
    await rows[Symbol.asyncDispose]();
    throw error;
  }
}

/** The marker as it is stored; it tells nothing but the ledger's random id. */
export function markerArtifact(ledgerId: string): Artifact {
  const body = markerBody(ledgerId);
  const headers = { contentType: "application/json", cacheControl: "no-store", metadata: {} };
  return { key: MARKER, body, ...headers, hash: digest(body) };
}

async function emptied(
  ledger: Wired["ledger"],
  tables: readonly AnyTable[],
  filled: readonly string[],
): Promise<readonly string[]> {
  const before = (await ledger.note("tables"))?.split(",") ?? [];
  const declared = new Set(tables.map(({ name }) => name));
  return before.filter((name) => declared.has(name) && !filled.includes(name));
}

function markerBody(ledgerId: string): Buffer {
  return Buffer.from(`${JSON.stringify({ ledger: ledgerId })}\n`);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** The error of a run that the operator stopped. */
export function interrupted(): PipelineError {
  return new PipelineError("interrupted", "The run was stopped.", {
    hint: "Run it again: it goes on where this one stopped. What is live is consistent.",
  });
}
