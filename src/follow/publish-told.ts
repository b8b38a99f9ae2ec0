import type { ToldRow } from "../ledger/ledger.ts";
import { inTurn } from "../pipeline/in-turn.ts";
import { build, type Wired } from "../pipeline.ts";
import { type AnyTable, decodeKey, tablesOf } from "../site.ts";
import type { Bell } from "./bell.ts";
import { compareTold } from "./compare-told.ts";
import { openMass } from "./mass.ts";
import type { FollowOptions } from "./options.ts";
import { openTurns, type Turn } from "./turns.ts";
import { untilDone } from "./until-done.ts";

/** Rows of a table that is gone may be among those that are due first. */
const FEW_MARKS = 500;
/** The longest rest, and the shortest before what the clock changes next. */
const REST_MS = { longest: 3_600_000, shortest: 1_000 } as const;

type PublishOptions = FollowOptions & { readonly bell: Bell };

/**
 * Publishes what was told, at once while there is nothing to do and otherwise all that came meanwhile;
 * a mass update in slices, between which others go first; and what the clock changes, when it does.
 * Begins with a rebuild, which also publishes what is new in templates and content. Ends with the signal.
 * @throws PipelineError as `build` does, of failures that will not pass
 */
export async function publishTold(wired: Wired, options: PublishOptions): Promise<void> {
  const { signal, bell, sliceRows } = options;
  const turns = openTurns(wired.ledger, sliceRows);
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const turn = await untilDone(options, turns.next);
    const isDue = (await untilDone(options, () => untilDueMs(wired))) <= 0;
    if (isFirst && turn?.lane !== "urgent") await publish(wired, undefined, options);
    const beganMs = performance.now();
    if (turn?.lane === "compare") await compare(wired, turn, options);
    else if (turn !== undefined || isDue) await publish(wired, turn, options);
    if (turn !== undefined) {
      turns.took(turn, performance.now() - beganMs);
      continue;
    }
    const ms = await untilDone(options, () => untilDueMs(wired));
    await bell.heard(Math.min(REST_MS.longest, Math.max(REST_MS.shortest, ms)), signal);
  }
}

async function compare(wired: Wired, { told }: Turn, options: PublishOptions): Promise<void> {
  const lookAgain = () => lookAtRebuilt(wired, options);
  const patient = { ...options, sleep: orUntilTold(options) };
  for (const span of told) await untilDone(patient, () => compareTold(wired, span, { lookAgain }));
}

/** Looks again at what rebuilds made, at rows that are no older than what was told. */
async function lookAtRebuilt(wired: Wired, options: PublishOptions): Promise<void> {
  const { signal, emit } = options;
  const upTo = await wired.ledger.toldUpTo();
  const at = upTo === undefined ? [] : [upTo];
  const asked = { targets: [], looksAgain: true, at, isDryRun: false, allowDeletes: false };
  await inTurn(wired, options, () => build(wired, { ...asked, signal, emit }));
}

async function publish(
  wired: Wired,
  turn: Turn | undefined,
  options: PublishOptions,
): Promise<void> {
  const { ledger, site } = wired;
  const { lane, told = [] } = turn ?? {};
  const tables = new Map(tablesOf(site.kinds).map((table) => [table.name, table]));
  const { signal, emit } = options;
  const mass = openMass(ledger);
  await untilDone({ ...options, sleep: orUntilTold(options) }, async () => {
    // Read after the rows: what told of them is at or before it.
    const upTo = await ledger.toldUpTo();
    const asked = {
      targets: [],
      changes: namedRows(told, tables),
      deletedBefore: lane === "bulk" ? await mass.deleted() : 0,
      at: upTo === undefined ? [] : [upTo],
      ...{ isDryRun: false, allowDeletes: false, signal, emit },
    };
    const { deleted } = await inTurn(wired, options, () => build(wired, asked));
    await ledger.heed(told);
    if (lane === "bulk") await mass.add(deleted);
  });
  if (lane === undefined || lane === "compare") return;
  const seconds = Math.max(0, Date.now() - oldest(told) / 1000) / 1000;
  emit({ event: "followed", rows: told.length, isBulk: lane === "bulk", seconds });
}

function oldest(told: readonly ToldRow[]): number {
  return told.reduce((first, { committedAt }) => Math.min(first, committedAt), Number.MAX_VALUE);
}

/** What is told next may be what a failure waits for: rows of a table that an import emptied. */
function orUntilTold({ bell, sleep }: PublishOptions): FollowOptions["sleep"] {
  return async (ms, signal) => {
    await sleep(Math.min(ms, REST_MS.shortest), signal);
    await bell.heard(ms, signal);
  };
}

/** May be walked again, by a run that begins again. */
function namedRows(rows: readonly ToldRow[], tables: ReadonlyMap<string, AnyTable>) {
  const named = rows.flatMap(({ table: name, key }) => {
    const table = tables.get(name);
    return table === undefined || key === undefined ? [] : [{ table, key: decodeKey(key) }];
  });
  return {
    async *[Symbol.asyncIterator]() {
      yield named;
    },
  };
}

/** Milliseconds until the clock changes who may see a row; tables that are gone from the site have no say. */
async function untilDueMs({ ledger, site }: Wired): Promise<number> {
  const names = new Set(tablesOf(site.kinds).map(({ name }) => name));
  const marks = await ledger.dueRows(Number.MAX_SAFE_INTEGER, undefined, FEW_MARKS);
  const next = marks.find(({ table }) => names.has(table));
  return next === undefined ? Number.POSITIVE_INFINITY : next.dueAt / 1000 - Date.now();
}
