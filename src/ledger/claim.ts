import { PipelineError } from "../error.ts";
import { useCode } from "./codes.ts";
import { keepRebuilt, keepSeen } from "./known.ts";
import { keptHolder, keptUntil, lease, setUntil } from "./lease.ts";
import type { Ledger, RebuiltPages, Release } from "./ledger.ts";
import { isUnwritten, note, setNote, setNotes } from "./notes.ts";
import { asText, orUndefined } from "./rows.ts";
import { keepAhead } from "./shards.ts";
import { query, type SqlRow, type Work } from "./sql.ts";
import { discard } from "./steps.ts";

/**
 * @see Ledger.claim
 * Plans of other runs stay until a release is finished: one of them may yet get the ledger, when
 * this run gives it up, and must not find half of its plan gone.
 */
export function* claim(run: string, as: Parameters<Ledger["claim"]>[1]): Work<void> {
  if (yield* renew(run, as)) return;
  const { release, nowMs, leaseMs, mark, since, code } = as;
  const holder = yield* keptHolder("update");
  const expiresMs = yield* keptUntil();
  if (holder !== run && expiresMs > nowMs) throw heldBy(holder, expiresMs);
  yield* useCode(code);
  const last = yield* lastRelease();
  if (release !== last) throw planIsOld(release, last);
  if (since !== undefined && !(yield* isUnwritten(since))) throw overtaken();
  if (mark !== undefined) {
    const marked = yield* note(mark.name);
    if (marked !== mark.was && marked !== run) throw overtaken();
    if (marked !== run) yield* setNote(mark.name, run);
  }
  yield* query("UPDATE nb_lease SET holder = ? WHERE slot = 1", [run]);
  yield* setUntil(nowMs + leaseMs);
}

/** Holds on to what the run holds and has marked; false when that is not so. Nobody who writes waits for it. */
function* renew(
  run: string,
  { nowMs, leaseMs, mark, since, code }: Parameters<Ledger["claim"]>[1],
): Work<boolean> {
  if (mark === undefined || since !== undefined) return false;
  const marked = yield* note(mark.name);
  if (marked !== run || (yield* lease()).holder !== run) return false;
  yield* useCode(code);
  yield* keptUntil();
  // Read again: another may have been faster.
  if ((yield* lease()).holder !== run) return false;
  yield* setUntil(nowMs + leaseMs);
  return true;
}

/** @see Ledger.yieldClaim */
export function* yieldClaim(run: string): Work<void> {
  yield* release(run);
  yield* discard(run);
}

/**
 * Ends the work of a run that lost the ledger, before it can write something older over
 * something newer. Whoever held last stays named after the claim ended, so that a run that was
 * slow for two leases finds it out too. A ledger nobody ever claimed lets anyone write.
 * @throws PipelineError `run_conflict`
 */
export function* holdFast(run: string): Work<void> {
  const holder = yield* keptHolder("share");
  if (holder !== undefined && holder !== run) throw heldBy(holder, (yield* lease()).expiresMs);
}

/** @see Ledger.release */
export function* lastRelease(): Work<number> {
  const [row] = yield* query("SELECT MAX(id) AS last FROM nb_release");
  return Number(row?.["last"] ?? 0);
}

/** @see Ledger.finish Every plan was made before this release, so all go. */
export function* finish(
  run: string,
  finished: Release,
  notes: Readonly<Record<string, string>> = {},
  rebuilt?: RebuiltPages,
): Work<void> {
  const holder = yield* keptHolder("update");
  if (holder !== undefined && holder !== run) throw heldBy(holder, (yield* lease()).expiresMs);
  const last = yield* lastRelease();
  const { id, startedAt, finishedAt = null, report = null } = finished;
  if (id !== last + 1) throw planIsOld(id - 1, last);
  yield* query("INSERT INTO nb_release (id, started_at, finished_at, report) VALUES (?, ?, ?, ?)", [
    id,
    startedAt,
    finishedAt,
    report,
  ]);
  yield* keepSeen(run);
  yield* keepRebuilt(rebuilt);
  yield* keepAhead(run);
  yield* setNotes(notes);
  yield* release(run);
  yield* query("DELETE FROM nb_step");
  for (const table of ["nb_seen", "nb_cut", "nb_crew", "nb_shard", "nb_ahead"]) {
    yield* query(`DELETE FROM ${table}`);
  }
}

/** @see Ledger.releases Newest first. */
export function* releases(limit: number, upTo = Number.MAX_SAFE_INTEGER): Work<readonly Release[]> {
  const text =
    "SELECT id, started_at, finished_at, report FROM nb_release WHERE id <= ? ORDER BY id DESC LIMIT ?";
  return (yield* query(text, [upTo, limit])).map(decodeRelease);
}

function* release(run: string): Work<void> {
  yield* keptUntil();
  if ((yield* lease()).holder === run) yield* setUntil(0);
}

function decodeRelease(row: SqlRow): Release {
  return {
    id: Number(row["id"]),
    startedAt: Number(row["started_at"]),
    finishedAt: orUndefined(row["finished_at"], Number),
    report: orUndefined(row["report"], asText),
  };
}

function heldBy(holder: string | undefined, expiresMs: number): PipelineError {
  if (expiresMs === 0) {
    return new PipelineError("run_conflict", `Run ${holder} has taken over the ledger meanwhile.`, {
      hint: "Start the run again; it plans from what is live now.",
    });
  }
  const until = new Date(expiresMs).toISOString();
  return new PipelineError("run_conflict", `Run ${holder} holds the ledger until ${until}.`, {
    hint: "Wait until it has finished; if it was stopped or died, its claim ends by itself.",
  });
}

function overtaken(): PipelineError {
  const message = "Another run has published since this one read its rows.";
  return new PipelineError("run_conflict", message, {
    hint: "Run it again: it then plans from what is live now.",
  });
}

function planIsOld(planned: number, last: number): PipelineError {
  const message = `The plan was made on release ${planned}, but the last release is ${last}.`;
  return new PipelineError("run_conflict", message, { hint: "Plan again and apply that plan." });
}
