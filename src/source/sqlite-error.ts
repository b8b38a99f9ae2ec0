import { PipelineError } from "../error.ts";
import { LOAD_HINT } from "./stored.ts";

/** Primary result codes that may pass by themselves: https://www.sqlite.org/rescode.html (BUSY, LOCKED). */
const BUSY = new Set([5, 6]);
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

/** Translates an error of node:sqlite, once, at the port. */
export function sqliteError(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || !("errcode" in error)) return error;
  // The low byte is the primary code; the rest only refines it.
  const code = Number(error.errcode) & 0xff;
  const at = { file };
  if (BUSY.has(code)) {
    const message = `The database file is locked by another process: ${error.message}.`;
    return new PipelineError("source_unavailable", message, { at, cause: error });
  }
  if (code === CANNOT_OPEN) {
    const message = "The database file does not exist or cannot be opened.";
    return new PipelineError("source_rejected", message, { at, cause: error, hint: LOAD_HINT });
  }
  const reason = code === NOT_A_DATABASE ? "it is no SQLite database" : error.message;
  const message = `The database file refuses: ${reason}.`;
  return new PipelineError("source_rejected", message, { at, cause: error, hint: LOAD_HINT });
}
