import * as adopted from "./adopted.ts";
import * as bars from "./bars.ts";
import * as changes from "./changes.ts";
import * as claims from "./claim.ts";
import * as codes from "./codes.ts";
import * as former from "./former.ts";
import * as jobs from "./jobs.ts";
import * as journal from "./journal.ts";
import * as known from "./known.ts";
import type { Ledger } from "./ledger.ts";
import * as lingering from "./lingering.ts";
import * as live from "./live.ts";
import * as counts from "./live-counts.ts";
import * as notes from "./notes.ts";
import * as outbox from "./outbox.ts";
import * as past from "./past.ts";
import * as ranges from "./ranges.ts";
import * as retired from "./retired.ts";
import * as shards from "./shards.ts";
import type { SqlDatabase } from "./sql.ts";
import * as steps from "./steps.ts";
import * as ticks from "./ticks.ts";
import * as tokens from "./tokens.ts";
import * as told from "./told.ts";
import { urgent } from "./urgent.ts";

/**
 * Durable before the promise is fulfilled: something outside (a put, a delete, a call to the CDN)
 * follows that could not be told from the ledger after a power cut. What is lost otherwise is
 * planned again.
 */
const DURABLE = { isDurable: true };
const SHRINKING = { isShrinking: true };

/** The ledger's methods over any SQL database: each is one transaction. */
export function sqlLedger(db: SqlDatabase, id: string): Ledger {
  return {
    id,
    ...liveMethods(db),
    ...stepMethods(db),
    ...claimMethods(db),
    ...journalMethods(db),
    ...retiredMethods(db),
    ...adoptedMethods(db),
    ...outboxMethods(db),
    ...noteMethods(db),
    ...rowMethods(db),
    ...formerMethods(db),
    ...pastMethods(db),
    ...barMethods(db),
    ...toldMethods(db),
    ...shardMethods(db, id),
    ...tokenMethods(db),
    ...jobMethods(db),
    ...tickMethods(db),
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

function liveMethods(db: SqlDatabase) {
  return {
    live: (...of) => db.read(() => live.live(...of)),
    liveKinds: () => db.read(live.liveKinds),
    countLive: () => db.read(live.countLive),
    countLiveByKind: () => db.read(live.countLiveByKind),
    pages: (ids) => db.read(() => live.pages(ids)),
    liveAt: (routes) => db.read(() => live.liveAt(routes)),
    liveFolded: (routes) => db.read(() => live.liveFolded(routes)),
  } satisfies Partial<Ledger>;
}

function stepMethods(db: SqlDatabase) {
  return {
    stage: (...of) => db.write(() => steps.stage(...of)),
    unstage: (...of) => db.write(() => steps.unstage(...of)),
    staged: (...of) => db.read(() => steps.staged(...of)),
    stepsOf: (...of) => db.read(() => steps.stepsOf(...of)),
    stagedFolded: (...of) => db.read(() => steps.stagedFolded(...of)),
    stagedAt: (...of) => db.read(() => steps.stagedAt(...of)),
    stagedClashes: (...of) => db.read(() => steps.stagedClashes(...of)),
    stagedCounts: (run) => db.read(() => steps.stagedCounts(run)),
    discard: (run) => db.write(() => steps.discard(run), SHRINKING),
  } satisfies Partial<Ledger>;
}

function claimMethods(db: SqlDatabase) {
  return {
    release: () => db.read(claims.lastRelease),
    claim: (...of) => db.write(() => claims.claim(...of)),
    yieldClaim: (run) => db.write(() => claims.yieldClaim(run), SHRINKING),
    finish: (...of) => db.write(() => claims.finish(...of), { ...DURABLE, ...SHRINKING }),
    releases: (...of) => db.read(() => claims.releases(...of)),
  } satisfies Partial<Ledger>;
}

function journalMethods(db: SqlDatabase) {
  return {
    intend: (...of) => db.write(() => journal.intend(...of), DURABLE),
    confirm: (...of) => db.write(() => journal.confirm(...of), DURABLE),
    intents: () => db.read(journal.intents),
    doubt: (...of) => db.write(() => journal.doubt(...of)),
    cameLate: (...of) => db.write(() => journal.cameLate(...of), DURABLE),
    lingering: (...of) => db.read(() => lingering.lingering(...of)),
    lingeringAmong: (objects) => db.read(() => lingering.lingeringAmong(objects)),
    forgetLingering: (...of) => db.write(() => lingering.forgetLingering(...of)),
    doubtAll: (run) => db.write(() => journal.doubtAll(run)),
    retire: (...of) => db.write(() => journal.retire(...of), DURABLE),
  } satisfies Partial<Ledger>;
}

function retiredMethods(db: SqlDatabase) {
  return {
    due: (...of) => db.read(() => retired.due(...of)),
    dateRetired: (...of) => db.write(() => retired.dateRetired(...of)),
    retired: (limit) => db.read(() => retired.retired(limit)),
    countRetired: () => db.read(retired.countRetired),
    isLeaving: (now) => db.read(() => retired.isLeaving(now)),
    retiredAmong: (objects) => db.read(() => retired.retiredAmong(objects)),
    forget: (...of) => db.write(() => retired.forget(...of), DURABLE),
    unretire: (...of) => db.write(() => retired.forget(...of)),
  } satisfies Partial<Ledger>;
}

function adoptedMethods(db: SqlDatabase) {
  return {
    beginAdoption: (of) => db.write(() => adopted.beginAdoption(of), DURABLE),
    adopt: (objects) => db.write(() => adopted.adopt(objects)),
    adopted: (...of) => db.read(() => adopted.adopted(...of)),
    adoptedAt: (objects) => db.read(() => adopted.adoptedAt(objects)),
    disownAll: () => db.write(adopted.disownAll),
    retireAdopted: (...of) => db.write(() => adopted.retireAdopted(...of), DURABLE),
  } satisfies Partial<Ledger>;
}

function outboxMethods(db: SqlDatabase) {
  return {
    serveBy: (cdn) => db.write(() => outbox.serveBy(cdn)),
    tagsAt: (routes) => db.read(() => changes.tagsAt(routes)),
    countsOf: (asked) => db.read(() => counts.countsOf(asked)),
    waiting: () => db.read(changes.waiting),
    changes: (...of) => db.read(() => changes.changes(...of)),
    lastChange: () => db.read(changes.lastChange),
    changedAt: (routes) => db.read(() => changes.changedAt(routes)),
    freeze: (frozen) => db.write(() => outbox.freeze(frozen), { ...DURABLE, ...SHRINKING }),
    hasOutbox: () => db.read(outbox.hasOutbox),
    outbox: () => db.read(outbox.outbox),
    covers: (which) => db.read(() => outbox.covers(which)),
    sent: (...of) => db.write(() => outbox.sent(...of)),
    refused: (...of) => db.write(() => outbox.refused(...of)),
    renew: (batches) => db.write(() => outbox.renew(batches)),
    completed: (batch) => db.write(() => outbox.completed(batch)),
    closed: (...of) => db.write(() => outbox.closed(...of)),
    recall: (routes) => db.write(() => changes.recall(routes), DURABLE),
    spentItems: (at) => db.read(() => outbox.spentItems(at)),
  } satisfies Partial<Ledger>;
}

function noteMethods(db: SqlDatabase) {
  return {
    note: (name) => db.read(() => notes.note(name)),
    notes: () => db.read(notes.notes),
    setNote: (...of) => db.write(() => notes.setNote(...of)),
    setNoteIfUnwritten: (...of) => db.write(() => notes.setNoteIfUnwritten(...of)),
    quarantine: (...of) => db.write(() => notes.quarantine(...of)),
    quarantined: (limit) => db.read(() => notes.quarantined(limit)),
    areQuarantined: (ids) => db.read(() => notes.areQuarantined(ids)),
  } satisfies Partial<Ledger>;
}

function formerMethods(db: SqlDatabase) {
  return {
    former: (...of) => db.read(() => former.former(...of)),
    formerAt: (routes) => db.read(() => former.formerAt(routes)),
    formerOf: (ids) => db.read(() => former.formerOf(ids)),
    importFormer: (...of) => db.write(() => former.importFormer(...of), DURABLE),
  } satisfies Partial<Ledger>;
}

function pastMethods(db: SqlDatabase) {
  return {
    changedKinds: () => db.read(past.changedKinds),
    changedSince: (...of) => db.read(() => past.changedSince(...of)),
    pastsOf: (...of) => db.read(() => past.pastsOf(...of)),
    lastBefore: (...of) => db.read(() => past.lastBefore(...of)),
    sweepPast: (...of) => db.write(() => past.sweepPast(...of)),
  } satisfies Partial<Ledger>;
}

function barMethods(db: SqlDatabase) {
  return {
    bar: (...of) => db.write(() => bars.bar(...of), DURABLE),
    bars: () => db.read(bars.bars),
    barred: (ids) => db.read(() => bars.barred(ids)),
    removed: (...of) => db.write(() => bars.removed(...of), DURABLE),
    goneFrom: (routes) => db.read(() => bars.goneFrom(routes)),
    urgent: () => db.read(urgent),
    erased: (ids) => db.write(() => bars.erased(ids), DURABLE),
    lift: (ids) => db.write(() => bars.lift(ids), DURABLE),
    dropLifted: (ids) => db.write(() => bars.dropLifted(ids)),
    isClaimed: (nowMs) => db.read(() => bars.isClaimed(nowMs)),
  } satisfies Partial<Ledger>;
}

/** Not durable: after a power cut the feed tells again what it told since the position that is left. */
function toldMethods(db: SqlDatabase) {
  return {
    tell: (...of) => db.write(() => told.tell(...of)),
    toldUpTo: () => db.read(told.toldUpTo),
    told: (...of) => db.read(() => told.told(...of)),
    areTold: (...of) => db.read(() => told.areTold(...of)),
    heed: (...of) => db.write(() => told.heed(...of)),
    forgetTold: () => db.write(told.forgetTold),
  } satisfies Partial<Ledger>;
}

/** Durable: a token that was shown is good, one that was revoked stays so. */
function tokenMethods(db: SqlDatabase) {
  return {
    addToken: (token) => db.write(() => tokens.addToken(token), DURABLE),
    tokens: () => db.read(tokens.tokens),
    usedToken: (...of) => db.write(() => tokens.usedToken(...of)),
    revokeToken: (...of) => db.write(() => tokens.revokeToken(...of), DURABLE),
  } satisfies Partial<Ledger>;
}

function jobMethods(db: SqlDatabase) {
  return {
    request: (...of) => db.write(() => jobs.request(...of), DURABLE),
    changeJob: (...of) => db.write(() => jobs.changeJob(...of)),
    keptJob: (id) => db.read(() => jobs.keptJob(id)),
    keptJobs: (query) => db.read(() => jobs.keptJobs(query)),
    jobsIn: (...of) => db.read(() => jobs.jobsIn(...of)),
    jobCounts: () => db.read(jobs.jobCounts),
    jobEvents: (...of) => db.read(() => jobs.jobEvents(...of)),
    forgetJobs: (...of) => db.write(() => jobs.forgetJobs(...of)),
    meetCode: (...of) => db.write(() => codes.meetCode(...of)),
    codes: () => db.read(codes.codes),
  } satisfies Partial<Ledger>;
}

function tickMethods(db: SqlDatabase) {
  return {
    tick: (...of) => db.write(() => ticks.tick(...of), DURABLE),
    lastTick: (...of) => db.write(() => ticks.lastTick(...of)),
    ticks: (...of) => db.read(() => ticks.ticks(...of)),
    dueMoments: (...of) => db.read(() => ticks.dueMoments(...of)),
  } satisfies Partial<Ledger>;
}

function rowMethods(db: SqlDatabase) {
  return {
    known: (...of) => db.read(() => known.known(...of)),
    knownOf: (...of) => db.read(() => known.knownOf(...of)),
    dueRows: (...of) => db.read(() => known.dueRows(...of)),
    see: (...of) => db.write(() => known.see(...of)),
    seen: (...of) => db.read(() => known.seen(...of)),
    seenOf: (...of) => db.read(() => known.seenOf(...of)),
    ranges: (...of) => db.read(() => ranges.ranges(...of)),
    seeRanges: (...of) => db.write(() => ranges.seeRanges(...of)),
    settleRanges: (...of) => db.write(() => ranges.settleRanges(...of)),
    readers: (reads) => db.read(() => known.readers(reads)),
    readersBetween: (...of) => db.read(() => known.readersBetween(...of)),
    forgetRebuilt: (release) => db.write(() => known.forgetRebuilt(release)),
    rebuilt: (...of) => db.read(() => known.rebuilt(...of)),
    lastUpTo: (...of) => db.read(() => known.lastUpTo(...of)),
  } satisfies Partial<Ledger>;
}

function shardMethods(db: SqlDatabase, id: string) {
  return {
    openCrew: (...of) => db.write(() => shards.openCrew(...of)),
    crew: (nowMs) => db.read(() => shards.crew(nowMs)),
    pauseCrew: (...of) => db.write(() => shards.pauseCrew(...of)),
    cutShards: (...of) => db.write(() => shards.cutShards(...of)),
    takeShard: (...of) => db.write(() => shards.takeShard(...of)),
    keepShard: (...of) => db.write(() => shards.keepShard(...of)),
    finishShard: (...of) => db.write(() => shards.finishShard(...of)),
    leaveShard: (taken) => db.write(() => shards.leaveShard(taken)),
    reclaimShards: (run) => db.write(() => shards.reclaimShards(run)),
    doneShards: (...of) => db.read(() => shards.doneShards(...of)),
    dropShards: (...of) => db.write(() => shards.dropShards(...of)),
    countShards: (...of) => db.read(() => shards.countShards(...of)),
    within: (taken) => sqlLedger(shards.heldBy(db, taken), id),
    readAhead: (...of) => db.write(() => shards.readAhead(...of)),
  } satisfies Partial<Ledger>;
}
