import type { ToldRow } from "../ledger/ledger.ts";
import { inTurn } from "../pipeline/in-turn.ts";
import { build, type Wired } from "../pipeline.ts";
import { type AnyTable, decodeKey, tablesOf } from "../site.ts";
import type { Bell } from "./bell.ts";
import type { FollowOptions } from "./options.ts";
import { untilDone } from "./until-done.ts";

/** Rows that one rebuild looks at; of more changed rows than that a run looks at every page. */
const MAX_ROWS = 20_000;
/** Rows of a table that is gone may be among those that are due first. */
const FEW_MARKS = 500;
/** The longest rest, and the shortest before what the clock changes next. */
const REST_MS = { longest: 3_600_000, shortest: 1_000 } as const;

/**
 * Publishes what was told, at once while there is nothing to do and otherwise all that came meanwhile;
 * and what the clock changes, when it does. Begins with a rebuild, which also publishes what is new
 * in templates and content. Ends with the signal.
 * @throws PipelineError as `build` does, of failures that will not pass
 */
export async function publishTold(
  wired: Wired,
  options: FollowOptions & { readonly bell: Bell },
): Promise<void> {
  const { signal, bell } = options;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const rows = await untilDone(options, () => wired.ledger.told(MAX_ROWS));
    const isDue = (await untilDone(options, () => untilDueMs(wired))) <= 0;
    if (isFirst || isDue || rows.length > 0) await publish(wired, rows, options);
    if (rows.length > 0) continue;
    const ms = await untilDone(options, () => untilDueMs(wired));
    await bell.heard(Math.min(REST_MS.longest, Math.max(REST_MS.shortest, ms)), signal);
  }
}

async function publish(
  wired: Wired,
  rows: readonly ToldRow[],
  options: FollowOptions & { readonly bell: Bell },
): Promise<void> {
  const { ledger, site } = wired;
  const tables = new Map(tablesOf(site.kinds).map((table) => [table.name, table]));
  const { signal, emit } = options;
  await untilDone({ ...options, sleep: orUntilTold(options) }, async () => {
    // Read after the rows: what told of them is at or before it.
    const upTo = await ledger.toldUpTo();
    const asked = {
      targets: [],
      changes: namedRows(rows, tables),
      tables: rows.flatMap(({ table, key }) =>
        key === undefined ? (tables.get(table) ?? []) : [],
      ),
      at: upTo === undefined ? [] : [upTo],
      ...{ isDryRun: false, allowDeletes: false, signal, emit },
    };
    await inTurn(wired, options, () => build(wired, asked));
    await ledger.heed(rows);
  });
}

/** What is told next may be what a failure waits for: rows of a table that an import emptied. */
function orUntilTold({
  bell,
  sleep,
}: FollowOptions & { readonly bell: Bell }): FollowOptions["sleep"] {
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
