import { PipelineError } from "../error.ts";
import { TLS_HINTS } from "../mysql-tls.ts";

/** What a connection says that ended between two statements; mysql2 gives it no code. */
const CLOSED = "the connection was closed";

/** Failures that may pass by themselves, by the codes of Node's sockets and of the servers. */
const UNAVAILABLE = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
  "PROTOCOL_CONNECTION_LOST",
  "PROTOCOL_SEQUENCE_TIMEOUT",
  "ER_CON_COUNT_ERROR",
  "ER_USER_LIMIT_REACHED",
  "ER_TOO_MANY_USER_CONNECTIONS",
  "ER_SERVER_SHUTDOWN",
  "ER_LOCK_WAIT_TIMEOUT",
  "ER_LOCK_DEADLOCK",
  "ER_QUERY_INTERRUPTED",
  "ER_QUERY_TIMEOUT",
  "ER_NEW_ABORTING_CONNECTION",
  // Of a snapshot from before the table was altered or truncated: the next one is right.
  "ER_TABLE_DEF_CHANGED",
  // Not named by mysql2: killed, and over max_statement_time (MariaDB), idle too long (MySQL).
  "error 1927",
  "error 1969",
  "error 4031",
  CLOSED,
]);

const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Start the database, or correct host and port in DATABASE_URL.",
  ENOTFOUND: "Correct the host in DATABASE_URL.",
  ER_ACCESS_DENIED_ERROR: "Correct user and password in DATABASE_URL.",
  ER_DBACCESS_DENIED_ERROR:
    "Grant the user SELECT on the database, or correct its name in DATABASE_URL.",
  ER_TABLEACCESS_DENIED_ERROR:
    "Grant the user SELECT (for `nightbake load` also INSERT, UPDATE, DELETE, CREATE, INDEX) on the table.",
  ER_BAD_DB_ERROR: "Create the database, or correct its name in DATABASE_URL.",
  ER_NO_SUCH_TABLE: "Run `nightbake load` to create and fill the declared tables.",
  ER_BAD_FIELD_ERROR: "Add the column to the table, or take it out of the declaration.",
  ER_KEY_DOES_NOT_EXITS: "Give the table the declared key as its primary key.",
  ER_NET_PACKET_TOO_LARGE:
    "Raise the server's max_allowed_packet: it must be larger than twice the longest text.",
  ER_TOO_LONG_KEY: "Lower `max` of the text columns in the key or index.",
  ER_TOO_BIG_ROWSIZE: "Lower `max` of the text columns, or leave it out.",
  ...TLS_HINTS,
};

interface VendorError extends Error {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly sqlMessage?: unknown;
  readonly fatal?: unknown;
}

/**
 * Translates an error of mysql2, once, at the port. The driver's error carries the statement with
 * its values, so it is not passed on as cause; only its code and text are.
 */
export function mysqlError(error: unknown): unknown {
  if (error instanceof PipelineError || !(error instanceof Error)) return error;
  const { code, errno, sqlMessage, fatal } = error as VendorError;
  const name = typeof code === "string" ? code : nameless(errno, fatal);
  // What has no name, and every TypeError, is a bug of ours.
  if (name === undefined || error instanceof TypeError) return error;
  const text = name === "HANDSHAKE_SSL_ERROR" ? error.message : sqlMessage;
  const reason = typeof text === "string" ? `${text} (${name})` : name;
  const cause = new Error(reason);
  const hint = HINTS[name];
  const [kind, message] = UNAVAILABLE.has(name)
    ? (["source_unavailable", `The database does not answer: ${reason}.`] as const)
    : (["source_rejected", `The database refuses: ${reason}.`] as const);
  return new PipelineError(kind, message, { cause, ...(hint && { hint }) });
}

function nameless(errno: unknown, fatal: unknown): string | undefined {
  if (typeof errno === "number") return `error ${errno}`;
  return fatal === true ? CLOSED : undefined;
}
