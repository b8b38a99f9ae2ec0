import { PipelineError } from "../error.ts";
import type { JobLedger, KnownCode } from "./job-port.ts";
import { takeJobTurns, takeTurns } from "./lease.ts";
import { setNote } from "./notes.ts";
import { asText, orUndefined } from "./rows.ts";
import { query, replaceRows, type Work } from "./sql.ts";

const CODE = "fingerprint,first_seen_at,activated_at,turn".split(",");

/** The fingerprint of the code that was activated last; undefined when no process told its own. */
export function* currentCode(): Work<string | undefined> {
  const [row] = yield* query("SELECT fingerprint FROM nb_code ORDER BY turn DESC LIMIT 1");
  return orUndefined(row?.["fingerprint"], asText);
}

/** The note of the code that the run which claimed has; empty when it did not say. */
const NOTE = "code";

/** A run claims with this code. @throws PipelineError `release_outdated` */
export function* useCode(code = ""): Work<void> {
  const { used, current } = yield* standing();
  refuse(code, current);
  if (used !== code) yield* setNote(NOTE, code);
}

/** The run that claimed begins to write. @throws PipelineError `release_outdated` */
export function* refuseOutdated(): Work<void> {
  const { used, current } = yield* standing();
  refuse(used, current);
}

function* standing(): Work<{ readonly used: string; readonly current: string | undefined }> {
  const used = "(SELECT value FROM nb_note WHERE name = ?)";
  const current = "(SELECT fingerprint FROM nb_code ORDER BY turn DESC LIMIT 1)";
  const [row] = yield* query(`SELECT ${used} AS used, ${current} AS current_code`, [NOTE]);
  return { used: asText(row?.["used"]), current: orUndefined(row?.["current_code"], asText) };
}

function refuse(code: string, current: string | undefined): void {
  if (code === "" || current === undefined || code === current) return;
  const message = `The code ${code} makes no pages any more: ${current} was activated after it.`;
  throw new PipelineError("release_outdated", message, {
    hint: "Update this process, or make its code the current one: `nightbake code activate`.",
  });
}

/** @see JobLedger.meetCode What publishes begins nothing after it. */
export function* meetCode(
  fingerprint: string,
  { at, isActivated = false }: Parameters<JobLedger["meetCode"]>[1],
): Work<string> {
  yield* takeJobTurns();
  const known = yield* codes();
  const own = known.find((each) => each.fingerprint === fingerprint);
  const [current] = known;
  const isFresh = own === undefined || (isActivated && !own.isCurrent);
  if (!isFresh) return current?.fingerprint ?? fingerprint;
  yield* takeTurns();
  const [row] = yield* query("SELECT MAX(turn) AS last FROM nb_code");
  const turn = Number(row?.["last"] ?? 0) + 1;
  yield* replaceRows("nb_code", CODE, [[fingerprint, own?.firstSeenAt ?? at, at, turn]]);
  return fingerprint;
}

/** @see JobLedger.codes */
export function* codes(): Work<readonly KnownCode[]> {
  const rows = yield* query(`SELECT ${CODE} FROM nb_code ORDER BY turn DESC`);
  return rows.map((row, at) => ({
    fingerprint: asText(row["fingerprint"]),
    firstSeenAt: Number(row["first_seen_at"]),
    activatedAt: Number(row["activated_at"]),
    isCurrent: at === 0,
  }));
}
