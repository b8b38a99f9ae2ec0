import type { Change, Intent, Ledger, LivePage, Past } from "../../src/ledger/ledger.ts";
import { comparePages, digest, encodeKey, type PageId, type Step } from "../../src/site.ts";

/** Tags, folders and a moment (µs) that {@link contentsOf} asks for. */
export const TAGS = ["tag", "author-ann", "author-bob"];
export const FOLDERS = ["/", "/a/", "/d/"];
export const MAY = Date.UTC(2026, 4, 31, 23, 59) * 1000;

/** A place for one ledger; each `open` is a connection of its own to it. */
export interface Place {
  open(): Promise<Ledger>;
}

/** `["article", 1]` as a page id. */
export function idOf(kind: string, ...key: readonly (string | number)[]): PageId {
  return { kind, key: encodeKey(key) };
}

export function article(key: number): PageId {
  return idOf("article", key);
}

export function livePage(parts: Partial<LivePage> = {}): LivePage {
  const { kind, key } = { ...article(1), ...parts };
  return {
    kind,
    key,
    route: `/${kind}/${Buffer.from(key).toString("hex")}/`,
    start: undefined,
    hash: digest("body"),
    etag: '"9a0364b9e99bb480dd25e1f0284c8555"',
    bytes: 8500,
    trace: Buffer.from("trace"),
    lastmod: 1_735_689_600_000_000,
    release: 1,
    cause: 63,
    ...parts,
  };
}

export function step(parts: Partial<Step> = {}): Step {
  const { kind, key } = { ...article(1), ...parts };
  return {
    kind,
    key,
    phase: "new",
    action: "create",
    reason: "absent",
    route: `/${kind}/${Buffer.from(key).toString("hex")}/`,
    from: undefined,
    start: undefined,
    ...parts,
  };
}

export function intent(parts: Partial<Intent> = {}): Intent {
  const { kind, key, route, start } = livePage(parts);
  return { kind, key, route, start };
}

/** Puts pages live by a run of its own, which takes the ledger and leaves it. */
export async function publish(ledger: Ledger, ...pages: readonly LivePage[]): Promise<void> {
  const release = await ledger.release();
  await ledger.claim("publisher", { release, nowMs: 0, leaseMs: 1 });
  await ledger.confirm("publisher", pages);
  await ledger.yieldClaim("publisher");
}

/** Makes batches of these items of all that waits. */
export async function freezeInto(
  ledger: Ledger,
  batches: readonly (readonly string[])[],
  { run = "publisher", madeAt = 5 } = {},
): Promise<boolean> {
  const waiting = await ledger.waiting();
  return await ledger.freeze({ ...waiting, run, madeAt, batches, report: "{}" });
}

/** What waits, without its numbers. */
export async function changesOf(ledger: Ledger): Promise<readonly Omit<Change, "seq">[]> {
  return (await ledger.changes(0, 1000)).map(({ seq: _, ...change }) => change);
}

/** Everything a ledger can tell, as plain values that compare and print well. */
export async function contentsOf(ledger: Ledger, runs: readonly string[]): Promise<unknown> {
  const live: LivePage[] = [];
  for (const kind of await ledger.liveKinds())
    live.push(...(await ledger.live(kind, undefined, 1000)));
  const plans = await Promise.all(
    runs.map(async (run) => ({
      steps: (await ledger.staged(run, { limit: 1000 })).map(plain),
      counts: await ledger.stagedCounts(run),
      clashes: (await ledger.stagedClashes(run, 1000)).map((each) => each.map(plain)).sort(byText),
    })),
  );
  return {
    live: live.map(plain),
    counted: await ledger.countLive(),
    plans,
    intents: (await ledger.intents()).map(plain),
    retired: (await ledger.retired(1000)).map(plain),
    lingering: await ledger.lingering(Number.MAX_SAFE_INTEGER, undefined, 1000),
    changes: (await changesOf(ledger)).toSorted(byText),
    counts: await ledger.countsOf({ tags: TAGS, folders: FOLDERS }),
    outbox: (await ledger.outbox()).map(({ id: _, cover: __, ...batch }) => batch),
    covers: (await ledger.covers("all")).map(({ items, doneAt }) => ({ items, doneAt })),
    spent: await ledger.spentItems(MAY),
    quarantined: (await ledger.quarantined()).map(plain),
    releases: await ledger.releases(1000),
    former: (await ledger.former(undefined, 1000)).map(plain),
    past: inOrder(await pastsOf(ledger)).map(plain),
    ...(await rowsOf(ledger, runs)),
  };
}

/** Of all pages what they were before each release that changed them. */
async function pastsOf(ledger: Ledger): Promise<readonly Past[]> {
  const pasts: Past[] = [];
  for (const kind of await ledger.changedKinds()) {
    const ids = await ledger.changedSince(0, { kind, after: undefined, limit: 1000 });
    pasts.push(...(await ledger.pastsOf(ids, 0)));
  }
  return pasts;
}

/** By the release that ended them, then in page order. */
export function inOrder(pasts: readonly Past[]): readonly Past[] {
  return pasts.toSorted((a, b) => a.until - b.until || comparePages(a, b));
}

async function rowsOf(ledger: Ledger, runs: readonly string[]): Promise<object> {
  const tables = ["Tag", "tag", "tag "];
  const known = await Promise.all(tables.map((table) => ledger.known(table, undefined, 1000)));
  const seen = await Promise.all(runs.map((run) => ledger.seen(run, undefined, 1000)));
  const readers = await ledger.readersBetween(Buffer.alloc(0), Buffer.alloc(9, 0xff));
  return {
    known: known.flat().map(plain),
    seen: seen.map((rows) => rows.map(({ table, key, now }) => plain({ table, key, ...now }))),
    due: (await ledger.dueRows(Number.MAX_SAFE_INTEGER, undefined, 1000)).map(plain),
    readers: readers.map(plain).sort(byText),
  };
}

/** The value with bytes as hexadecimal text and without what is undefined. */
export function plain(value: object): unknown {
  const members = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(
    members.map(([name, each]) => [
      name,
      each instanceof Uint8Array ? Buffer.from(each).toString("hex") : each,
    ]),
  );
}

/** Page ids alone, in page order. */
export function comparedPages(pages: readonly PageId[]): readonly PageId[] {
  return pages.map(({ kind, key }) => ({ kind, key })).sort(comparePages);
}

/** Any fixed order of plain values. */
export function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
