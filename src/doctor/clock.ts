import type { MysqlConnection } from "../source/mysql-connection.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** Milliseconds; beyond the first a scheduled row is seen at another second than its own. */
const [NOTABLE, WRONG] = [1000, 60_000];

/** How far the server's clock is from ours, as far as the way there lets us see. */
export async function clockFinding(
  connection: MysqlConnection,
  now: () => number = Date.now,
): Promise<Finding> {
  const sent = now();
  const [[text] = []] = await connection.all(
    "SELECT CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) AS CHAR)",
  );
  const received = now();
  const skew = Number(text) / 1000 - (sent + received) / 2;
  // It answered at some moment of the way.
  const sure = Math.max(0, Math.abs(skew) - (received - sent) / 2);
  return judged(sure, skew);
}

function judged(sure: number, skew: number): Finding {
  if (sure < NOTABLE) return ok("Its clock is ours.");
  const message = `Its clock is ${(sure / 1000).toFixed(1)} s ${skew > 0 ? "ahead of" : "behind"} this machine's, by which scheduled rows appear and expire.`;
  const remedy = "Let both machines follow a time server (NTP).";
  return sure < WRONG ? warning(message, remedy) : problem(message, remedy);
}
