import type { JobLedger, KnownCode } from "./job-port.ts";
import { takeJobTurns } from "./lease.ts";
import { asText, orUndefined } from "./rows.ts";
import { query, replaceRows, type Work } from "./sql.ts";

const CODE = "fingerprint,first_seen_at,activated_at,turn".split(",");

/** The fingerprint of the code that was activated last; undefined when no process told its own. */
export function* currentCode(): Work<string | undefined> {
  const [row] = yield* query("SELECT fingerprint FROM nb_code ORDER BY turn DESC LIMIT 1");
  return orUndefined(row?.["fingerprint"], asText);
}

/** @see JobLedger.meetCode */
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
