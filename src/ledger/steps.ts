import { comparePages, foldRoute, type PageId, PHASES, pageName, type Step } from "../site.ts";
import type { Ledger, StepCount } from "./ledger.ts";
import { atFolds, beyond, queryIds } from "./live.ts";
import {
  asBytes,
  asText,
  decodeAction,
  decodeStep,
  encodeStep,
  runOf,
  STEP,
  STEP_READ,
} from "./rows.ts";
import { dismiss } from "./shards.ts";
import {
  BY_INDEX,
  query,
  queryIn,
  replaceRows,
  type SqlRow,
  type SqlValue,
  type Work,
} from "./sql.ts";

/** @see Ledger.stage */
export function* stage(run: string, steps: readonly Step[]): Work<void> {
  const id = runOf(run);
  const rows = steps.map((step) => encodeStep(id, step));
  yield* replaceRows("nb_step", STEP, rows);
}

/** @see Ledger.unstage */
export function* unstage(run: string, ids: readonly PageId[]): Work<void> {
  yield* queryIds("DELETE FROM nb_step WHERE run = ? AND", ids, [runOf(run)]);
}

/**
 * @see Ledger.staged
 * The rest of the last page's kind, then the kinds after it: MySQL seeks with each condition,
 * but would visit all rows for `(kind, page_key) > (?, ?)`.
 */
export function* staged(
  run: string,
  { phase, kind, after, limit }: Parameters<Ledger["staged"]>[1],
): Work<readonly Step[]> {
  const inPhase = phase === undefined ? "" : `AND phase = ${PHASES.indexOf(phase)}`;
  const select = (where: string, values: readonly SqlValue[], atMost: number) =>
    query(
      `SELECT ${STEP_READ} FROM nb_step WHERE run = ? AND ${where} ${inPhase} ORDER BY kind, page_key LIMIT ?`,
      [runOf(run), ...values, atMost],
    );
  const rows: SqlRow[] = [];
  const from = kind ?? after?.kind;
  if (from !== undefined) {
    const [is, key] = beyond(after?.key);
    rows.push(...(yield* select(`kind = ? AND page_key ${is} ?`, [from, key], limit)));
  }
  if (kind === undefined && rows.length < limit) {
    rows.push(...(yield* select("kind > ?", [from ?? ""], limit - rows.length)));
  }
  return rows.map(decodeStep);
}

/** @see Ledger.stepsOf */
export function* stepsOf(run: string, ids: readonly PageId[]): Work<readonly (Step | undefined)[]> {
  const rows = yield* queryIds(`SELECT ${STEP_READ} FROM nb_step WHERE run = ? AND`, ids, [
    runOf(run),
  ]);
  const found = new Map(rows.map(decodeStep).map((step) => [pageName(step), step]));
  return ids.map((id) => found.get(pageName(id)));
}

/** @see Ledger.stagedFolded */
export function* stagedFolded(run: string, routes: readonly string[]): Work<readonly Step[]> {
  const text = `SELECT ${STEP_READ} FROM nb_step ${BY_INDEX} WHERE run = ? AND`;
  const rows = yield* atFolds(text, routes, [runOf(run)]);
  const folds = new Set(routes.map(foldRoute));
  const steps = rows.map(decodeStep).filter(({ route }) => folds.has(foldRoute(route)));
  return steps.sort(comparePages);
}

/** @see Ledger.stagedAt */
export function* stagedAt(
  run: string,
  routes: readonly string[],
): Work<ReadonlyMap<string, readonly Step[]>> {
  const wanted = new Set(routes);
  const steps = (yield* stagedFolded(run, routes)).filter(({ route }) => wanted.has(route));
  return Map.groupBy(steps, ({ route }) => route);
}

/** @see Ledger.stagedClashes */
export function* stagedClashes(run: string, limit: number): Work<readonly (readonly Step[])[]> {
  const id = runOf(run);
  const folds = yield* query(
    `SELECT fold FROM nb_step ${BY_INDEX} WHERE run = ? AND fold IS NOT NULL
     GROUP BY fold HAVING COUNT(*) > 1 ORDER BY fold LIMIT ?`,
    [id, limit],
  );
  const text = `SELECT ${STEP_READ} FROM nb_step ${BY_INDEX} WHERE run = ? AND fold IN (?)`;
  const list = folds.map(({ fold }) => asBytes(fold));
  return clashesAmong((yield* queryIn(text, list, [id])).map(decodeStep));
}

/** Groups of two or more steps whose routes truly fold to one, in page order. Pure. */
function clashesAmong(steps: readonly Step[]): readonly (readonly Step[])[] {
  const groups = Map.groupBy([...steps].sort(comparePages), ({ route }) => foldRoute(route));
  return [...groups.values()].filter((group) => group.length > 1);
}

/** @see Ledger.stagedCounts */
export function* stagedCounts(run: string): Work<readonly StepCount[]> {
  const reasonClass = `CASE instr(reason, ':') WHEN 0 THEN reason
    ELSE substr(reason, 1, instr(reason, ':') - 1) END`;
  const rows = yield* query(
    `SELECT phase, kind, action, ${reasonClass} AS reason_class, COUNT(*) AS steps FROM nb_step
     WHERE run = ? GROUP BY phase, kind, action, reason_class
     ORDER BY phase, kind, action, reason_class`,
    [runOf(run)],
  );
  return rows.map((row) => ({
    ...decodeAction(row),
    kind: asText(row["kind"]),
    reason: asText(row["reason_class"]),
    count: Number(row["steps"]),
  }));
}

/** @see Ledger.discard */
export function* discard(run: string): Work<void> {
  for (const table of ["nb_step", "nb_seen", "nb_cut"]) {
    yield* query(`DELETE FROM ${table} WHERE run = ?`, [runOf(run)]);
  }
  yield* dismiss(run);
}
