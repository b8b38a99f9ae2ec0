import type { Cache } from "../../src/cache/cache.ts";
import type { Cdn } from "../../src/invalidate/cdn.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { ObjectStore } from "../../src/publish/store.ts";

/**
 * What a call of a port does: `effect` changes something that outlives the process; `plan` changes
 * only the run's own plan, which nobody reads when its process is dead; `read` changes nothing.
 */
export type Does = "effect" | "plan" | "read";

type Method<Port> = {
  [Name in keyof Port & string]: Port[Name] extends (...args: never[]) => unknown ? Name : never;
}[keyof Port & string];

/** Every call of the ledger; a new method does not compile until it stands here. */
export const LEDGER_CALLS = {
  addToken: "effect",
  adopt: "effect",
  adopted: "read",
  adoptedAt: "read",
  areQuarantined: "read",
  areTold: "read",
  bar: "effect",
  beginAdoption: "effect",
  barred: "read",
  bars: "read",
  cameLate: "effect",
  changedKinds: "read",
  changedSince: "read",
  changes: "read",
  claim: "effect",
  closed: "effect",
  completed: "effect",
  confirm: "effect",
  countLive: "read",
  countLiveByKind: "read",
  countsOf: "read",
  covers: "read",
  countRetired: "read",
  dateRetired: "effect",
  discard: "plan",
  disownAll: "effect",
  doubt: "effect",
  doubtAll: "effect",
  due: "read",
  dropLifted: "effect",
  dueRows: "read",
  erased: "effect",
  finish: "effect",
  forget: "effect",
  forgetTold: "effect",
  forgetLingering: "effect",
  former: "read",
  formerAt: "read",
  formerOf: "read",
  freeze: "effect",
  goneFrom: "read",
  hasOutbox: "read",
  importFormer: "effect",
  heed: "effect",
  intend: "effect",
  intents: "read",
  isClaimed: "read",
  isLeaving: "read",
  known: "read",
  knownOf: "read",
  lastBefore: "read",
  lastUpTo: "read",
  lift: "effect",
  lingering: "read",
  lingeringAmong: "read",
  live: "read",
  liveAt: "read",
  liveFolded: "read",
  liveKinds: "read",
  note: "read",
  notes: "read",
  outbox: "read",
  pages: "read",
  pastsOf: "read",
  quarantine: "effect",
  quarantined: "read",
  ranges: "read",
  readers: "read",
  readersBetween: "read",
  rebuilt: "read",
  recall: "effect",
  refused: "effect",
  release: "read",
  releases: "read",
  removed: "effect",
  renew: "effect",
  retire: "effect",
  retireAdopted: "effect",
  retired: "read",
  retiredAmong: "read",
  see: "plan",
  seeRanges: "plan",
  seen: "read",
  revokeToken: "effect",
  sent: "effect",
  serveBy: "effect",
  setNote: "effect",
  setNoteIfUnwritten: "effect",
  spentItems: "read",
  stage: "plan",
  staged: "read",
  stagedAt: "read",
  stagedClashes: "read",
  stagedCounts: "read",
  stagedFolded: "read",
  stepsOf: "read",
  sweepPast: "effect",
  tagsAt: "read",
  unretire: "effect",
  unstage: "plan",
  urgent: "read",
  usedToken: "effect",
  waiting: "read",
  tell: "effect",
  told: "read",
  tokens: "read",
  toldUpTo: "read",
  yieldClaim: "effect",
  changeJob: "effect",
  codes: "read",
  forgetJobs: "effect",
  jobCounts: "read",
  jobEvents: "read",
  jobsIn: "read",
  keptJob: "read",
  keptJobs: "read",
  meetCode: "effect",
  request: "effect",
  tick: "effect",
  lastTick: "effect",
  ticks: "read",
  dueMoments: "read",
} as const satisfies Record<Method<Ledger>, Does>;

/** Every call of a store, as {@link LEDGER_CALLS}. */
export const STORE_CALLS = {
  check: "read",
  delete: "effect",
  erase: "effect",
  get: "read",
  head: "read",
  keepsVersions: "read",
  list: "read",
  put: "effect",
  removeRemains: "effect",
  versions: "read",
} as const satisfies Record<Method<ObjectStore>, Does>;

/** Every call of a CDN, as {@link LEDGER_CALLS}. */
export const CDN_CALLS = {
  isCompleted: "read",
  send: "effect",
} as const satisfies Record<Method<Cdn>, Does>;

/** Every call of what keeps former versions, as {@link LEDGER_CALLS}. */
export const CACHE_CALLS = {
  clear: "effect",
  drop: "effect",
  get: "read",
  has: "read",
  set: "effect",
} as const satisfies Record<Method<Cache>, Does>;

/** The calls of a table that do one of these. */
export function callsThat<Name extends string>(
  table: Readonly<Record<Name, Does>>,
  ...does: readonly Does[]
): readonly Name[] {
  return (Object.keys(table) as Name[]).filter((name) => does.includes(table[name]));
}
