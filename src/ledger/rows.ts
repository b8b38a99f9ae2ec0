import { address, digest, foldRoute, type PageId, PHASES, type Step } from "../site.ts";
import type { Intent, LivePage, Quarantined, Retired } from "./ledger.ts";
import type { SqlRow, SqlValue } from "./sql.ts";

/** In the order of {@link encodePage}; its kind is a number. */
export const PAGE = "kind,page_key,route,start,fold,hash,etag,bytes,trace,lastmod,release_id".split(
  ",",
);
/** What {@link decodePage} reads beside the kind. */
export const PAGE_READ = "page_key,route,start,hash,etag,bytes,trace,lastmod,release_id";
/** In the order of {@link encodeStep}. */
export const STEP = "run,kind,page_key,phase,action,reason,route,prior,start,fold".split(",");
/** What {@link decodeStep} reads. */
export const STEP_READ = "kind,page_key,phase,action,reason,route,prior,start";
/** In the order of {@link encodeIntent}. */
export const INTENT = "kind,page_key,route,start".split(",");
/** In the order of {@link encodeFailed}. */
export const FAILED = "kind,page_key,code,message,place".split(",");
/** In the order of {@link encodeRetired}. */
export const RETIRED = "object,due_at,stays,items,etag,hash".split(",");

/** Of a retired object whose copies need not be evicted. */
const NO_ITEMS = "[]";

const ACTIONS = ["create", "update", "delete", "check"] as const;

/** Each byte costs two a page; the few routes of a large site that share 40 bits are told apart. */
const FOLD_BYTES = 5;
/** Nobody tells runs with equal bytes apart, so there are enough of them. */
const RUN_BYTES = 8;
/**
 * How an etag is stored, in two bits of its first byte: as text, as 16 bytes for 32 hexadecimal
 * digits in quotes, or not at all. The other six say why the page was put.
 */
const [ETAG_TEXT, ETAG_MD5, ETAG_NONE] = [0, 1, 2];

/** What a route is found by; equal for routes that fold to one, and seldom for others. */
export function foldOf(route: string): Uint8Array {
  return digest(foldRoute(route)).subarray(0, FOLD_BYTES);
}

/** A run's name in a row: 8 bytes for what is mostly a UUID of 36. */
export function runOf(run: string): Uint8Array {
  return digest(run).subarray(0, RUN_BYTES);
}

/** The object at a route. */
export function objectAt(route: string): string {
  return address(route).key;
}

/** Text that a dialect may give as bytes; `""` for NULL. */
export function asText(value: SqlValue | undefined): string {
  if (value instanceof Uint8Array) return asBytes(value).toString("utf8");
  return value === null || value === undefined ? "" : String(value);
}

/**
 * Bytes as a Buffer in both dialects, without a copy.
 * @throws TypeError when the column is not there or NULL, which the schema forbids
 */
export function asBytes(value: SqlValue | undefined): Buffer {
  if (value instanceof Buffer) return value;
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  throw new TypeError(`Bytes expected in a ledger column, not ${typeof value}.`);
}

/** A column that may be NULL, which reads as undefined. */
export function orUndefined<T>(
  value: SqlValue | undefined,
  read: (value: SqlValue) => T,
): T | undefined {
  return value === null || value === undefined ? undefined : read(value);
}

export function decodeId(row: SqlRow): PageId {
  return { kind: asText(row["kind"]), key: asBytes(row["page_key"]) };
}

export function encodePage(page: LivePage, kind: number): SqlValue[] {
  const { key, route, start = null, hash = null, etag, bytes, trace, lastmod = null } = page;
  const tag = packPut(etag, page.cause ?? 0);
  return [kind, key, route, start, foldOf(route), hash, tag, bytes, trace, lastmod, page.release];
}

export function decodePage(row: SqlRow): LivePage {
  return {
    ...decodeIntent(row),
    hash: orUndefined(row["hash"], asBytes),
    ...unpackPut(row["etag"]),
    bytes: Number(row["bytes"]),
    trace: asBytes(row["trace"]),
    lastmod: orUndefined(row["lastmod"], Number),
    release: Number(row["release_id"]),
  };
}

/** A delete has no fold: it wants no route, so it is not found by one. */
export function encodeStep(run: Uint8Array, step: Step): SqlValue[] {
  const { kind, key, phase, action, reason, route } = step;
  const fold = action === "delete" ? null : foldOf(route);
  const numbers = [PHASES.indexOf(phase), ACTIONS.indexOf(action)];
  return [run, kind, key, ...numbers, reason, route, step.from ?? null, step.start ?? null, fold];
}

export function decodeStep(row: SqlRow): Step {
  const { kind, key, route, start } = decodeIntent(row);
  const from = orUndefined(row["prior"], asText);
  return { kind, key, ...decodeAction(row), reason: asText(row["reason"]), route, from, start };
}

/** Phase and action of a step. */
export function decodeAction(row: SqlRow): Pick<Step, "phase" | "action"> {
  const phase = PHASES[Number(row["phase"])];
  const action = ACTIONS[Number(row["action"])];
  if (phase === undefined || action === undefined) throw new TypeError("No such phase or action.");
  return { phase, action };
}

export function encodeIntent({ kind, key, route, start }: Intent): SqlValue[] {
  return [kind, key, route, start ?? null];
}

export function decodeIntent(row: SqlRow): Intent {
  return {
    ...decodeId(row),
    route: asText(row["route"]),
    start: orUndefined(row["start"], asBytes),
  };
}

export function encodeFailed({ kind, key, code, message, at }: Quarantined): SqlValue[] {
  return [kind, key, code, message, at];
}

export function decodeFailed(row: SqlRow): Quarantined {
  const [code, message, at] = [asText(row["code"]), asText(row["message"]), asText(row["place"])];
  return { ...decodeId(row), code, message, at };
}

/** Older releases kept items in their place; of those that were not cached there are none. */
export function encodeRetired(each: Retired): SqlValue[] {
  const { object, dueAt = null, stays = 0, isCached, etag = null, hash = null } = each;
  return [object, dueAt, stays, isCached ? "[1]" : NO_ITEMS, etag, hash];
}

export function decodeRetired(row: SqlRow): Retired {
  const dueAt = orUndefined(row["due_at"], Number);
  return {
    object: asText(row["object"]),
    dueAt,
    ...(dueAt === undefined && { stays: Number(row["stays"]) }),
    isCached: asText(row["items"]) !== NO_ITEMS,
    etag: orUndefined(row["etag"], asText),
    hash: orUndefined(row["hash"], asBytes),
  };
}

/** Invalidation items, stored as JSON. */
export function decodeItems(value: SqlValue | undefined): readonly string[] {
  return JSON.parse(asText(value)) as readonly string[];
}

function packPut(etag: string | undefined, cause: number): Uint8Array | null {
  if (etag === undefined && cause === 0) return null;
  const first = (form: number | undefined) => Buffer.of((form ?? 0) | (cause << 2));
  if (etag === undefined) return first(ETAG_NONE);
  const digits = /^"([0-9a-f]{32})"$/.exec(etag)?.[1];
  return digits === undefined
    ? Buffer.concat([first(ETAG_TEXT), Buffer.from(etag)])
    : Buffer.concat([first(ETAG_MD5), Buffer.from(digits, "hex")]);
}

/** An entity tag and the code of a cause, from one column. */
export function unpackPut(value: SqlValue | undefined): Pick<LivePage, "etag" | "cause"> {
  if (value === null || value === undefined) return { etag: undefined };
  const bytes = asBytes(value);
  const [first = 0] = bytes;
  const cause = first >> 2;
  return { etag: unpackEtag(first & 3, bytes.subarray(1)), ...(cause > 0 && { cause }) };
}

function unpackEtag(form: number, rest: Buffer): string | undefined {
  if (form === ETAG_NONE) return undefined;
  return form === ETAG_TEXT ? rest.toString("utf8") : `"${rest.toString("hex")}"`;
}
