import { type PageId, PHASES } from "../site.ts";
import { lease } from "./lease.ts";
import { asBytes, asText, orUndefined, runOf } from "./rows.ts";
import {
  type Crew,
  type Shard,
  type ShardCounts,
  type ShardLease,
  type ShardLedger,
  shardLost,
  type TakenShard,
} from "./shard-port.ts";
import {
  nothingOf,
  query,
  queryIn,
  replaceRows,
  type SqlDatabase,
  type SqlRow,
  type Work,
} from "./sql.ts";

const SHARD = "run,number,phase,kind,above,up_to,holder,until_ms,report".split(",");
const SHARD_READ = "number,phase,kind,above,up_to";
/** Nobody has it, or not any more, and it has no mark. */
const FREE = "run = ? AND report IS NULL AND until_ms < ?";

/** Processes that ask at the same time find different ones most of the time. */
const CANDIDATES = 16;

/** @see ShardLedger.openCrew */
export function* openCrew(run: string, brief: string): Work<void> {
  yield* replaceRows("nb_crew", ["run", "brief", "is_paused"], [[run, brief, 0]]);
}

/** @see ShardLedger.crew */
export function* crew(nowMs: number): Work<Crew | undefined> {
  const { holder, expiresMs } = yield* lease();
  if (holder === undefined || expiresMs <= nowMs) return undefined;
  const [row] = yield* query("SELECT brief FROM nb_crew WHERE run = ?", [holder]);
  return row && { run: holder, brief: asText(row["brief"]) };
}

/** @see ShardLedger.pauseCrew */
export function* pauseCrew(run: string, isPaused: boolean): Work<void> {
  yield* query("UPDATE nb_crew SET is_paused = ? WHERE run = ?", [isPaused ? 1 : 0, run]);
}

/** @see ShardLedger.cutShards */
export function* cutShards(
  run: string,
  shards: Parameters<ShardLedger["cutShards"]>[1],
): Work<void> {
  const id = runOf(run);
  const [row] = yield* query("SELECT MAX(number) AS last FROM nb_shard WHERE run = ?", [id]);
  const last = Number(row?.["last"] ?? 0);
  const rows = shards.map(({ phase, kind, after = null, upTo }, at) => {
    return [id, last + at + 1, PHASES.indexOf(phase), kind, after, upTo, null, 0, null];
  });
  yield* replaceRows("nb_shard", SHARD, rows);
}

/** @see ShardLedger.takeShard Only the row of the shard is locked, so that nobody waits for another. */
export function* takeShard(
  run: string,
  { holder, nowMs, leaseMs }: Parameters<ShardLedger["takeShard"]>[1],
): Work<(TakenShard & ShardLease) | undefined> {
  const runMs = yield* claimedMs(run, nowMs);
  const [own] = yield* query("SELECT is_paused FROM nb_crew WHERE run = ?", [run], "share");
  if (runMs === undefined || own === undefined || Number(own["is_paused"]) === 1) return undefined;
  const id = runOf(run);
  const free = yield* query(
    `SELECT ${SHARD_READ} FROM nb_shard WHERE ${FREE} ORDER BY number LIMIT ?`,
    [id, nowMs, CANDIDATES],
  );
  const row = free[Math.floor(Math.random() * free.length)];
  if (row === undefined) return undefined;
  const shardMs = nowMs + leaseMs;
  const number = Number(row["number"]);
  yield* query(`UPDATE nb_shard SET holder = ?, until_ms = ? WHERE ${FREE} AND number = ?`, [
    holder,
    shardMs,
    id,
    nowMs,
    number,
  ]);
  const shard = { ...decodeShard(row), run, holder };
  return (yield* isHeld(shard)) ? { ...shard, shardMs, runMs } : undefined;
}

/** @see ShardLedger.keepShard */
export function* keepShard(
  taken: TakenShard,
  { nowMs, leaseMs }: Parameters<ShardLedger["keepShard"]>[1],
): Work<ShardLease> {
  const runMs = yield* claimedMs(taken.run, nowMs);
  if (runMs === undefined) throw shardLost(taken);
  yield* holdShard(taken, "update");
  const shardMs = nowMs + leaseMs;
  yield* change(taken, "until_ms = ?", shardMs);
  return { shardMs, runMs };
}

/** @see ShardLedger.finishShard */
export function* finishShard(taken: TakenShard, report: Uint8Array): Work<void> {
  yield* holdShard(taken, "update");
  yield* change(taken, "report = ?", report);
}

/** @see ShardLedger.leaveShard */
export function* leaveShard(taken: TakenShard): Work<void> {
  if (yield* isHeld(taken, "update")) yield* change(taken, "holder = NULL, until_ms = ?", 0);
}

/** @see ShardLedger.reclaimShards */
export function* reclaimShards(run: string): Work<void> {
  const text = "UPDATE nb_shard SET holder = NULL, until_ms = 0 WHERE run = ? AND report IS NULL";
  yield* query(text, [runOf(run)]);
}

/** @see ShardLedger.doneShards */
export function* doneShards(run: string, limit: number): Work<ReadonlyMap<number, Uint8Array>> {
  const rows = yield* query(
    "SELECT number, report FROM nb_shard WHERE run = ? AND report IS NOT NULL ORDER BY number LIMIT ?",
    [runOf(run), limit],
  );
  return new Map(rows.map(({ number, report }) => [Number(number), asBytes(report)]));
}

/** @see ShardLedger.dropShards */
export function* dropShards(run: string, numbers: readonly number[]): Work<void> {
  yield* queryIn("DELETE FROM nb_shard WHERE run = ? AND number IN (?)", numbers, [runOf(run)]);
}

/** @see ShardLedger.countShards */
export function* countShards(run: string, nowMs: number): Work<ShardCounts> {
  const isHeldNow = "CASE WHEN until_ms >= ? THEN 1 ELSE 0 END";
  const [row] = yield* query(
    `SELECT COUNT(*) AS shards, SUM(${isHeldNow}) AS held FROM nb_shard WHERE run = ? AND report IS NULL`,
    [nowMs, runOf(run)],
  );
  const held = Number(row?.["held"] ?? 0);
  return { open: Number(row?.["shards"]) - held, held };
}

/** The same database for who has a shard: no write takes place once another has it. */
export function heldBy(db: SqlDatabase, taken: TakenShard): SqlDatabase {
  return {
    ...db,
    async write(work, options) {
      const done = nothingOf(work);
      if (done !== undefined) return done.value;
      return await db.write(function* () {
        yield* holdShard(taken, "share");
        return yield* work();
      }, options);
    },
  };
}

/** @see ShardLedger.readAhead */
export function* readAhead(run: string, pages: readonly PageId[]): Work<void> {
  const id = runOf(run);
  const rows = pages.map(({ kind, key }) => [id, kind, key]);
  yield* replaceRows("nb_ahead", ["run", "kind", "page_key"], rows);
}

/** What a run leaves with a release: pages to look at again; part of `finish`. */
export function* keepAhead(run: string): Work<void> {
  yield* query(
    "REPLACE INTO nb_rebuilt (kind, page_key) SELECT kind, page_key FROM nb_ahead WHERE run = ?",
    [runOf(run)],
  );
}

/** Nobody helps a run any more; part of what ends it. */
export function* dismiss(run: string): Work<void> {
  yield* query("DELETE FROM nb_crew WHERE run = ?", [run]);
  for (const table of ["nb_shard", "nb_ahead"]) {
    yield* query(`DELETE FROM ${table} WHERE run = ?`, [runOf(run)]);
  }
}

/** Until when the run has its claim; undefined when that is over or another's. */
function* claimedMs(run: string, nowMs: number): Work<number | undefined> {
  const { holder, expiresMs } = yield* lease();
  return holder === run && expiresMs > nowMs ? expiresMs : undefined;
}

function* holdShard(taken: TakenShard, lock: "share" | "update"): Work<void> {
  if (!(yield* isHeld(taken, lock))) throw shardLost(taken);
}

function* isHeld({ run, number, holder }: TakenShard, lock?: "share" | "update"): Work<boolean> {
  const [row] = yield* query(
    "SELECT holder FROM nb_shard WHERE run = ? AND number = ? AND report IS NULL",
    [runOf(run), number],
    lock,
  );
  return row !== undefined && asText(row["holder"]) === holder;
}

function* change(
  { run, number }: TakenShard,
  what: string,
  value: Uint8Array | number,
): Work<void> {
  const text = `UPDATE nb_shard SET ${what} WHERE run = ? AND number = ?`;
  yield* query(text, [value, runOf(run), number]);
}

function decodeShard(row: SqlRow): Shard {
  const phase = PHASES[Number(row["phase"])];
  if (phase === undefined) throw new TypeError("No such phase.");
  return {
    number: Number(row["number"]),
    phase,
    kind: asText(row["kind"]),
    after: orUndefined(row["above"], asBytes),
    upTo: asBytes(row["up_to"]),
  };
}
