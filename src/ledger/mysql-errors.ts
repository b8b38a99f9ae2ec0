import { PipelineError } from "../error.ts";
import { TLS_HINTS } from "../mysql-tls.ts";

/** The victim of a deadlock, or of a wait for a lock: its transaction may run again. */
const DEADLOCKS: ReadonlySet<number> = new Set([1205, 1213]);

/** The connection is of no more use. */
const GONE: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
  "PROTOCOL_CONNECTION_LOST",
  "PROTOCOL_SEQUENCE_TIMEOUT",
]);

/** The server answers that it cannot now: connections, shutdown, read-only, kill, disk, deadlock. */
const BUSY: ReadonlySet<number> = new Set([
  1021, 1040, 1053, 1114, 1203, 1205, 1213, 1226, 1290, 1317, 1792, 1836, 1927, 3024, 4031,
]);

/** Refusals an operator can mend, with what to do; numbers are those of both servers. */
const REFUSALS = new Map([
  [1044, "Grant the user SELECT, INSERT, UPDATE, DELETE and CREATE on this database."],
  [1045, "Check the user and the password in the ledger's URL."],
  [1049, "Create the database first; the ledger makes its own tables."],
  [1142, "Grant the user SELECT, INSERT, UPDATE, DELETE and CREATE on this database."],
  [1146, "The ledger's tables are gone: restore them, or empty the database and build again."],
  [1153, "Raise max_allowed_packet on the server to 16 MB or more."],
  [1406, "A key is longer than 1,500 bytes or a kind's name than 64: shorten it."],
  [1665, "Set binlog_format to ROW or MIXED on the server."],
  [1698, "Check the user and the password in the ledger's URL."],
]);

/** True when the transaction was rolled back for another's sake. */
export function isDeadlock(error: unknown): boolean {
  const cause = error instanceof PipelineError ? error.cause : error;
  return DEADLOCKS.has(numberOf(cause));
}

/** True when nothing more can be sent on the connection. */
export function isGone(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isFatal = "fatal" in error && error.fatal === true;
  return isFatal || GONE.has(codeOf(error)) || numberOf(error) === 1927;
}

/** The error in our words; one that is not the server's or the network's stays as it is. */
export function translated(error: unknown, name: string): unknown {
  const hint = REFUSALS.get(numberOf(error)) ?? TLS_HINTS[codeOf(error)];
  if (hint !== undefined) {
    const message = `The ledger in the ${name} cannot be used: ${(error as Error).message}.`;
    return new PipelineError("ledger_rejected", message, { hint, cause: error });
  }
  if (!isGone(error) && !BUSY.has(numberOf(error))) return error;
  const message = `The ledger in the ${name} does not answer: ${codeOf(error)}.`;
  const next = "Check that the server runs and can be reached; then run again.";
  return new PipelineError("ledger_unavailable", message, { hint: next, cause: error });
}

/** Another process has been making the ledger's tables for too long. */
export function stillMigrating(): PipelineError {
  return new PipelineError("ledger_unavailable", "Another process is making the ledger's tables.", {
    hint: "Wait until it has finished; then run again.",
  });
}

function numberOf(error: unknown): number {
  return error instanceof Error && "errno" in error ? Number(error.errno) : 0;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  return "code" in error && error.code !== undefined ? String(error.code) : error.message;
}
