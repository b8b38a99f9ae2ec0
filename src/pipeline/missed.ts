import { PipelineError } from "../error.ts";
import type { Missed } from "../events.ts";
import type { SeenRow } from "../ledger/ledger.ts";
import { decodeKey, encodeKey, keyName } from "../site.ts";
import type { Change } from "../source/feed.ts";
import { toldBetween } from "../source/told-between.ts";
import { isWhole } from "./log.ts";
import type { Run } from "./run.ts";

/** Rows that are looked at together, and those that are named. */
const [BATCH, FIRST] = [500, 10];
/** What a follower has not heard yet is read here, unless it is very much. */
const LIMITS = { maxChanges: 50_000, ms: 10_000 } as const;

/**
 * Finds the rows that a scan saw changed and that the database's log, which is followed, never told
 * of: neither to the follower, whose rows stand in the ledger until they are published, nor since
 * where it is. Claims first, so that nothing is published meanwhile. Tells and counts them; the run
 * publishes them.
 */
export async function tellMissed(run: Run): Promise<void> {
  const { wired, options, context, tally } = run;
  if (!isWhole(options)) return;
  const { ledger } = wired;
  const upTo = await ledger.toldUpTo();
  if (upTo === undefined || (await ledger.seen(context.run, undefined, 1)).length === 0) return;
  const isHeard = await hearingSince(run, upTo);
  if (isHeard === undefined) return;
  await run.claim();
  const first: string[] = [];
  let rows = 0;
  for await (const { table, key } of changedRows(run)) {
    if (isHeard(table, key)) continue;
    rows += 1;
    if (first.length < FIRST) first.push(`${table}/${keyName(decodeKey(key))}`);
  }
  if (rows === 0) return;
  tally.missed = { rows, first };
  options.emit({ event: "warning", error: alarm(tally.missed) });
}

/** Rows that differ by more than what the clock did, and that nobody was told of. */
async function* changedRows({ wired: { ledger }, context }: Run): AsyncGenerator<SeenRow> {
  let after: SeenRow | undefined;
  for (;;) {
    const seen = await ledger.seen(context.run, after, BATCH);
    for (const [table, rows] of Map.groupBy(seen, (row) => row.table)) {
      const keys = rows.map(({ key }) => key);
      const [known, told] = await Promise.all([
        ledger.knownOf(table, keys),
        ledger.areTold(table, keys),
      ]);
      for (const [at, row] of rows.entries()) {
        const [was, is] = [known[at]?.hash, row.now?.hash];
        const isSame = was !== undefined && is !== undefined && Buffer.compare(was, is) === 0;
        if (!isSame && !told[at]) yield row;
      }
    }
    if (seen.length < BATCH) return;
    after = seen.at(-1);
  }
}

/** Whether the log tells of a row after a position; undefined when that cannot be found out. */
async function hearingSince(
  { wired: { log, source }, options }: Run,
  after: string,
): Promise<((table: string, key: Uint8Array) => boolean) | undefined> {
  // Asked after the rows were opened: it is at or after all that they show.
  const upTo = await source.position();
  if (upTo === undefined || log === undefined) return undefined;
  const { signal, emit } = options;
  const told = await toldBetween(log.feed, { after, upTo, ...LIMITS, signal });
  if (told.changes !== undefined) return hearing(told.changes);
  emit({ event: "note", message: `Nobody can say what the follower missed: ${told.why}` });
  return undefined;
}

function hearing(changes: readonly Change[]) {
  const name = (table: string, key: Uint8Array) => `${table} ${Buffer.from(key).toString("hex")}`;
  const rows = new Set<string>();
  const spans: { readonly table: string; readonly from?: Uint8Array; readonly to?: Uint8Array }[] =
    [];
  for (const change of changes) {
    const table = change.table.name;
    if (change.is === "row") rows.add(name(table, encodeKey(change.key)));
    else if (change.range === undefined) spans.push({ table });
    else spans.push({ table, from: encodeKey(change.range.from), to: encodeKey(change.range.to) });
  }
  return (table: string, key: Uint8Array) =>
    rows.has(name(table, key)) ||
    spans.some(
      ({ table: of, from, to }) =>
        of === table &&
        (from === undefined || Buffer.compare(from, key) <= 0) &&
        (to === undefined || Buffer.compare(key, to) <= 0),
    );
}

function alarm({ rows, first }: Missed): PipelineError {
  const what = rows === 1 ? "One row has" : `${rows} rows have`;
  const more = rows > first.length ? " …" : "";
  const message = `${what} changed that the database's log did not tell of: ${first.join(", ")}${more}`;
  return new PipelineError("changes_missed", `${message}. This build publishes them.`, {
    hint:
      "Look for sessions with sql_log_bin=0, for binlog_do_db and binlog_ignore_db, for foreign keys of other " +
      "databases that cascade, and for a follower that still runs an older definition.",
  });
}
