import { asText, orUndefined } from "./rows.ts";
import { query, type Statement, type Work } from "./sql.ts";

/** Who held the ledger last, and until when. */
interface Lease {
  readonly holder: string | undefined;
  readonly expiresMs: number;
}

/** Reads the lease as it is now. */
export function* lease(): Work<Lease> {
  const until = "(SELECT expires_ms FROM nb_lease WHERE slot = 4)";
  const text = `SELECT holder, ${until} AS until_ms FROM nb_lease WHERE slot = 1`;
  const [row] = yield* query(text);
  return {
    holder: orUndefined(row?.["holder"], asText),
    expiresMs: Number(row?.["until_ms"] ?? 0),
  };
}

/** Who holds the ledger, and does until the transaction ends. */
export function* keptHolder(lock: NonNullable<Statement["lock"]>): Work<string | undefined> {
  const [row] = yield* query("SELECT holder FROM nb_lease WHERE slot = 1", [], lock);
  return orUndefined(row?.["holder"], asText);
}

/**
 * When the lease ends, which nobody changes until the transaction does. It has a row of its own: whoever
 * renews it lets none of those wait who write, and who keep the holder from changing. Of both, the holder is kept first.
 */
export function* keptUntil(): Work<number> {
  const text = "SELECT expires_ms FROM nb_lease WHERE slot = 4";
  const [row] = yield* query(text, [], "update");
  return Number(row?.["expires_ms"] ?? 0);
}

/** From now on the lease ends then. */
export function* setUntil(expiresMs: number): Work<void> {
  yield* query("UPDATE nb_lease SET expires_ms = ? WHERE slot = 4", [expiresMs]);
}

/** Lets one transaction at a time go on from here. */
export function* takeTurns(): Work<void> {
  yield* keptHolder("update");
}

/**
 * The same for works that number something new, which those of several processes of one run do at the
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
