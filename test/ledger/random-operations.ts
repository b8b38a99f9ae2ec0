import fc from "fast-check";
import { PipelineError } from "../../src/error.ts";
import type { Beside, Ledger, Reader, SeenRow } from "../../src/ledger/ledger.ts";
import {
  address,
  digest,
  encodeKey,
  ownTag,
  type PageId,
  PHASES,
  type Step,
} from "../../src/site.ts";
import { freezeInto, intent, livePage, MAY, step } from "./fixtures.ts";
import type { LedgerModel } from "./model.ts";

/** One random call, made on the ledger and on its model. */
export interface Operation {
  readonly name: string;
  run(ledger: Ledger, model: LedgerModel): Promise<void>;
}

/** Runs that take part; few, so that they meet. */
export const RUNS = ["one", "two", "three"];

const LEASE = { nowMs: 0, leaseMs: 10 };
const run = fc.constantFrom(...RUNS);
const route = fc.constantFrom("/a/", "/A/", "/b/", "/b /", "/c.xml", "/");
const item = fc.constantFrom("/a/", "/a/index.html", "#tag", "/*");
const items = fc.array(item, { maxLength: 4 });
const id: fc.Arbitrary<PageId> = fc.record({
  kind: fc.constantFrom("tag", "tag ", "Tag"),
  key: fc.constantFrom([], [1], [2], ["x "]).map(encodeKey),
});

function several<T extends PageId>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  const selector = ({ kind, key }: T) => `${kind} ${Buffer.from(key).toString("hex")}`;
  return fc.uniqueArray(one, { maxLength: 5, selector });
}

const someIds = several(id);
const aTag = fc.constantFrom("tag", "author-ann", "author-bob");
const tagged = fc
  .tuple(id, route, fc.option(fc.array(aTag, { maxLength: 3 })))
  .map(([page, to, tags]) => ({
    ...page,
    route: to,
    tags: tags === null ? [] : [ownTag(page), ...unique(tags)],
  }));
const someTagged = several(tagged);
const somePages = several(
  fc
    .tuple(id, route, fc.nat(9))
    .map(([page, to, bytes]) => livePage({ ...page, route: to, bytes, release: bytes % 3 })),
);
const someIntents = several(
  fc.tuple(id, route).map(([page, to]) => intent({ ...page, route: to })),
);
const someFailed = several(
  fc.tuple(id, fc.constantFrom("bad", "worse")).map(([page, message]) => ({
    ...page,
    code: "row_invalid",
    message,
    at: "{}",
  })),
);
const aStep: fc.Arbitrary<Step> = fc
  .record({
    id,
    route,
    phase: fc.constantFrom(...PHASES),
    action: fc.constantFrom("create", "update", "delete"),
    reason: fc.constantFrom("absent", "row:users/ann", "row:users/bob", "template:x:y"),
  })
  .map(({ id: page, ...rest }) => step({ ...page, ...rest }));
const retired = fc.record({
  object: route.map((to) => address(to).key),
  dueAt: fc.option(fc.nat(3), { nil: undefined }),
  stays: fc.nat(2),
  isCached: fc.boolean(),
  etag: fc.option(fc.constantFrom('"a"', '"b"'), { nil: undefined }),
  hash: fc.option(fc.constantFrom(digest("a"), digest("b")), { nil: undefined }),
});

const until = fc.option(fc.nat(3), { nil: undefined });

const someReaders: fc.Arbitrary<Reader[]> = fc.array(
  fc
    .tuple(id, fc.constantFrom("ann", "ann ", "bob"))
    .map(([page, read]) => ({ ...page, read: Buffer.from(read) })),
  { maxLength: 3 },
);

const someFormer = fc.array(
  fc.tuple(id, route).map(([page, from]) => ({ ...page, route: from })),
  { maxLength: 3 },
);
const redirects = fc.constantFrom("Tag", "other");

const beside: fc.Arbitrary<Beside> = fc
  .record({
    tagged: someTagged,
    retired: fc.array(retired, { maxLength: 3 }),
    added: someReaders,
    dropped: someReaders,
    lateUntil: until,
    turnover: fc.option(
      fc.record({ left: someFormer, taken: fc.array(route, { maxLength: 3 }), redirects }),
      { nil: undefined },
    ),
  })
  .map(({ turnover, lateUntil, ...more }) => ({
    ...more,
    ...(turnover !== undefined && { turnover }),
    ...(lateUntil !== undefined && { lateUntil }),
  }));

const row: fc.Arbitrary<SeenRow> = fc
  .record({
    id,
    byte: fc.option(fc.nat(9), { nil: undefined }),
    dueAt: fc.option(fc.nat(2), { nil: undefined }),
  })
  .map(({ id: { kind: table, key }, byte, dueAt }) => {
    if (byte === undefined) return { table, key, now: undefined };
    return { table, key, now: { key, hash: Buffer.alloc(8, byte), deps: Buffer.of(byte), dueAt } };
  });

const someRows = fc.array(row, { maxLength: 6 });

/** A random call of any method that writes. */
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  op("stage", fc.tuple(run, fc.array(aStep, { maxLength: 6 })), (l, m, [r, steps]) => {
    m.stage(r, steps);
    return l.stage(r, steps);
  }),
  op("unstage", fc.tuple(run, someIds), (l, m, [r, ids]) => {
    m.unstage(r, ids);
    return l.unstage(r, ids);
  }),
  op("discard", run, (l, m, r) => {
    m.discard(r);
    return l.discard(r);
  }),
  op("see", fc.tuple(run, someRows), (l, m, [r, rows]) => {
    m.see(r, rows);
    return l.see(r, rows);
  }),
  op("claim", fc.tuple(run, fc.boolean(), fc.nat(2)), (l, m, [r, isExpired, release]) => {
    const nowMs = isExpired ? Number.MAX_SAFE_INTEGER - 10 : 0;
    // A clock that jumps ahead for one call: the model's lease does not end by itself.
    const leaseMs = isExpired ? 10 - nowMs : LEASE.leaseMs;
    return agree(m.claim(r, release, isExpired), l.claim(r, { release, nowMs, leaseMs }));
  }),
  op("yieldClaim", run, (l, m, r) => {
    m.yieldClaim(r);
    return l.yieldClaim(r);
  }),
  op("finish", fc.tuple(run, fc.constantFrom(0, 1, 1, 1, 2), someRows), async (l, m, value) => {
    const [r, ahead, rows] = value;
    m.see(r, rows);
    await l.see(r, rows);
    const release = { id: m.releases.length + ahead, startedAt: 5, finishedAt: 6, report: "{}" };
    await agree(m.finish(r, release), l.finish(r, release));
  }),
  op("intend", fc.tuple(run, someIntents, someTagged), (l, m, of) =>
    agree(m.intend(...of), l.intend(...of)),
  ),
  op("confirm", fc.tuple(run, somePages, beside), (l, m, [r, pages, more]) =>
    agree(m.confirm(r, pages, more), l.confirm(r, pages, more)),
  ),
  op("importFormer", fc.tuple(someFormer, redirects), (l, m, [former, kind]) => {
    m.importFormer(former, kind);
    return l.importFormer(former, { redirects: kind, notes: {} });
  }),
  op("retire", fc.tuple(run, someIds, beside), (l, m, [r, ids, more]) =>
    agree(m.retire(r, ids, more), l.retire(r, ids, more)),
  ),
  op("doubt", fc.tuple(run, someIntents, fc.nat(3), until), (l, m, of) =>
    agree(m.doubt(...of), l.doubt(...of)),
  ),
  op("cameLate", fc.tuple(run, someIds, fc.array(route), fc.array(retired)), (l, m, values) => {
    const [r, altered, routes, more] = values;
    const late = { altered, objects: routes.map((to) => address(to).key), retired: more };
    return agree(m.cameLate(r, late), l.cameLate(r, late));
  }),
  op("forgetLingering", fc.tuple(route, fc.nat(9)), (l, m, [to, now]) => {
    const object = address(to).key;
    if ((m.lingering.get(object) ?? now) <= now) m.lingering.delete(object);
    return l.forgetLingering([object], now);
  }),
  op("doubtAll", run, (l, m, r) => agree(m.doubtAll(r), l.doubtAll(r))),
  op("dateRetired", fc.tuple(run, fc.nat(3), fc.nat(4)), (l, m, of) =>
    agree(m.dateRetired(...of), l.dateRetired(...of)),
  ),
  op("forget", fc.tuple(run, route), (l, m, [r, to]) => {
    const object = address(to).key;
    return agree(m.unretire(r, object), l.forget(r, [object]));
  }),
  op("recall", route, (l, m, to) => {
    m.recall(to);
    return l.recall([to]);
  }),
  op("serveBy", fc.constantFrom("", "one", "two"), (l, m, cdn) => {
    m.serveBy(cdn);
    return l.serveBy(cdn);
  }),
  op("unretire", fc.tuple(run, route), (l, m, [r, to]) => {
    const object = address(to).key;
    return agree(m.unretire(r, object), l.unretire(r, [object]));
  }),
  op("freeze", fc.tuple(run, fc.array(items, { maxLength: 3 })), (l, m, [r, batches]) =>
    agree(m.freeze(r, batches), freezeInto(l, batches, { run: r })),
  ),
  op("sent", fc.tuple(fc.nat(3), fc.constantFrom(MAY, 0)), async (l, m, [at, moment]) => {
    const batch = (await l.outbox())[at];
    m.sent(at, moment);
    if (batch !== undefined) await l.sent(batch.id, "I1", moment);
  }),
  op("refused", fc.nat(3), async (l, m, at) => {
    const batch = (await l.outbox())[at];
    const modelled = m.batches[at];
    if (modelled !== undefined) m.batches[at] = { ...modelled, refusal: "No." };
    if (batch !== undefined) await l.refused(batch.id, "No.");
  }),
  op("closed", fc.nat(3), async (l, m, at) => {
    const cover = (await l.covers("all"))[at];
    const modelled = m.covers[at];
    if (modelled !== undefined) m.covers[at] = { ...modelled, doneAt: 7 };
    if (cover !== undefined) await l.closed(cover.id, 7, 0);
  }),
  op("completed", fc.nat(3), async (l, m, at) => {
    const batch = (await l.outbox())[at];
    m.batches.splice(at, 1);
    if (batch !== undefined) await l.completed(batch.id);
  }),
  op("quarantine", fc.tuple(someFailed, someIds), (l, m, [failed, healed]) => {
    const names = ({ kind, key }: PageId) => `${kind}/${Buffer.from(key).toString("hex")}`;
    for (const each of healed) m.failed.delete(names(each));
    for (const each of failed) m.failed.set(names(each), each);
    return l.quarantine(failed, healed);
  }),
);

function unique(tags: readonly string[]): readonly string[] {
  return [...new Set(tags)];
}

function op<T>(
  name: string,
  values: fc.Arbitrary<T>,
  act: (ledger: Ledger, model: LedgerModel, value: T) => Promise<void>,
): fc.Arbitrary<Operation> {
  return values.map((value) => ({
    name: `${name} ${fc.stringify(value)}`,
    run: (ledger, model) => act(ledger, model, value),
  }));
}

async function agree(isAllowed: boolean, call: Promise<unknown>): Promise<void> {
  const refused = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (isAllowed ? refused === undefined : codeOf(refused) === "run_conflict") return;
  throw new Error(`The model says ${isAllowed}, the ledger ${String(refused)}.`, {
    cause: refused,
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof PipelineError ? error.code : undefined;
}
