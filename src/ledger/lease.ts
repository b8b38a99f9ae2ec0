import { asText, orUndefined } from "./rows.ts";
import { query, type Statement, type Work } from "./sql.ts";

/** Who held the ledger last, and until when. */
interface Lease {
  readonly holder: string | undefined;
  readonly expiresMs: number;
}

/** Reads the lease; with a lock it stays as it is until the transaction ends. */
export function* lease(lock: Statement["lock"]): Work<Lease> {
  const text = "SELECT holder, expires_ms FROM nb_lease WHERE slot = 1";
  const [row] = yield* query(text, [], lock);
  return {
    holder: orUndefined(row?.["holder"], asText),
    expiresMs: Number(row?.["expires_ms"] ?? 0),
  };
}

/** Lets one transaction at a time go on from here. */
export function* takeTurns(): Work<void> {
  yield* lease("update");
}

/**
 * The same for works that count or number, which those of several processes of one run do at the
 * same time. Who holds the lease in share must not ask for it alone: two would wait for each other.
 */
export function* takeCountTurns(): Work<void> {
  yield* query("SELECT slot FROM nb_lease WHERE slot = 3", [], "update");
}

/** The same for works on jobs, which do not keep those that publish waiting. */
export function* takeJobTurns(): Work<void> {
  yield* query("SELECT slot FROM nb_lease WHERE slot = 2", [], "update");
}

/** True when no release came after this one; none comes until the transaction ends. */
export function* isLast(release: number): Work<boolean> {
  yield* takeTurns();
  const [row] = yield* query("SELECT MAX(id) AS last FROM nb_release");
  return Number(row?.["last"] ?? 0) === release;
}
