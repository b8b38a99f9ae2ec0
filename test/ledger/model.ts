import type {
  Beside,
  Change,
  Former,
  FrozenCover,
  Intent,
  KnownRow,
  Ledger,
  LivePage,
  OutboxBatch,
  Past,
  Quarantined,
  Reader,
  Release,
  Retired,
  SeenRow,
  Tagged,
  Turnover,
} from "../../src/ledger/ledger.ts";
import { address, foldRoute, type PageId, PHASES, routeOfKey, type Step } from "../../src/site.ts";
import { byText, FOLDERS, inOrder, MAY, plain, TAGS } from "./fixtures.ts";

/** What a ledger should hold, kept in plain maps: the naive twin of the property test. */
export class LedgerModel {
  readonly live = new Map<string, LivePage>();
  readonly plans = new Map<string, Map<string, Step>>();
  readonly pending = new Map<string, Intent>();
  readonly retired = new Map<string, Retired>();
  readonly changes: Omit<Change, "seq">[] = [];
  readonly batches: Omit<OutboxBatch, "id">[] = [];
  readonly covers: Pick<FrozenCover, "items" | "doneAt">[] = [];
  spent = 0;
  readonly failed = new Map<string, Quarantined>();
  readonly releases: Release[] = [];
  readonly seen = new Map<string, Map<string, SeenRow>>();
  readonly known = new Map<string, { readonly table: string; readonly row: KnownRow }>();
  readonly readers = new Map<string, Reader>();
  readonly former = new Map<string, Former>();
  readonly past = new Map<string, Past>();
  readonly lingering = new Map<string, number>();
  holder: string | undefined;

  stage(run: string, steps: readonly Step[]): void {
    const plan = this.plans.get(run) ?? new Map<string, Step>();
    this.plans.set(run, plan);
    for (const step of steps) plan.set(nameOf(step), step);
  }

  unstage(run: string, ids: readonly PageId[]): void {
    for (const id of ids) this.plans.get(run)?.delete(nameOf(id));
  }

  discard(run: string): void {
    this.plans.delete(run);
    this.seen.delete(run);
  }

  see(run: string, rows: readonly SeenRow[]): void {
    const seen = this.seen.get(run) ?? new Map<string, SeenRow>();
    this.seen.set(run, seen);
    for (const row of rows) seen.set(rowName(row), row);
  }

  /** False when the ledger must refuse. */
  claim(run: string, release: number, isExpired: boolean): boolean {
    const isFree = this.holder === undefined || this.holder === run || isExpired || this.#isFreed;
    if (!isFree || release !== this.releases.length) return false;
    this.holder = run;
    this.#isFreed = false;
    return true;
  }

  yieldClaim(run: string): void {
    if (this.holder === run) this.#isFreed = true;
    this.discard(run);
  }

  finish(run: string, release: Release): boolean {
    if (!this.#mayWrite(run) || release.id !== this.releases.length + 1) return false;
    this.releases.push(release);
    if (this.holder === run) this.#isFreed = true;
    for (const [name, { table, now }] of this.seen.get(run) ?? []) {
      if (now === undefined) this.known.delete(name);
      else this.known.set(name, { table, row: now });
    }
    this.plans.clear();
    this.seen.clear();
    return true;
  }

  intend(
    run: string,
    intents: readonly Intent[],
    cached: Parameters<Ledger["intend"]>[2],
  ): boolean {
    if (!this.#mayWrite(run)) return false;
    for (const each of intents) {
      const known = this.pending.get(nameOf(each));
      if (known !== undefined && known.route !== each.route) this.#suspect(known.route);
    }
    this.#remember(intents);
    for (const each of intents) this.pending.set(nameOf(each), each);
    for (const { route, tags } of cached) {
      const owners = this.#ownersOf(route);
      if (owners.length === 0) continue;
      const { tags: before } = this.#copyOf(owners, false);
      this.changes.push({ route, before, after: tags, livesOn: false });
    }
    return true;
  }

  confirm(run: string, pages: readonly LivePage[], beside: Beside): boolean {
    if (!this.#mayWrite(run)) return false;
    const before = this.#copiesOf(pages, true);
    for (const page of pages) {
      this.live.set(nameOf(page), page);
      this.pending.delete(nameOf(page));
      this.plans.get(run)?.delete(nameOf(page));
      const object = address(page.route).key;
      const isDated = this.retired.has(object) && this.retired.get(object)?.dueAt !== undefined;
      if (isDated && beside.lateUntil !== undefined) this.lingering.set(object, beside.lateUntil);
    }
    const names = new Set(pages.map(nameOf));
    for (const page of beside.tagged ?? []) if (names.has(nameOf(page))) this.#tag(page);
    for (const { route } of pages) this.#takeOff(address(route).key);
    this.#add(beside, before);
    if (beside.turnover !== undefined) this.#turnOver(beside.turnover);
    return true;
  }

  importFormer(former: readonly Former[], redirects: string): void {
    const pages = [...this.live.values()].filter(({ kind }) => kind !== redirects);
    this.#keepFormer(former, pages);
  }

  #keepFormer(former: readonly Former[], pages: readonly LivePage[]): void {
    const taken = new Set(pages.map(({ route }) => route));
    for (const each of former) if (!taken.has(each.route)) this.former.set(each.route, each);
  }

  retire(run: string, ids: readonly PageId[], beside: Beside): boolean {
    if (!this.#mayWrite(run)) return false;
    this.#remember(ids);
    const before = this.#copiesOf(ids, false);
    for (const id of ids) {
      this.live.delete(nameOf(id));
      this.#tags.delete(nameOf(id));
    }
    this.unstage(run, ids);
    this.#add(beside, before);
    return true;
  }

  dateRetired(run: string, completedAt: number, copiesUntil: number): boolean {
    if (!this.#mayWrite(run)) return false;
    for (const [object, { stays = 0, ...each }] of this.retired) {
      if (each.dueAt !== undefined) continue;
      const dueAt = stays === 0 ? copiesUntil : Math.max(completedAt + stays, copiesUntil);
      this.retired.set(object, { ...each, dueAt });
    }
    return true;
  }

  unretire(run: string, object: string): boolean {
    if (!this.#mayWrite(run)) return false;
    this.#takeOff(object);
    return true;
  }

  #takeOff(object: string): void {
    const route = routeOfKey(object);
    if (this.retired.get(object)?.isCached) {
      const { tags: before, livesOn } = this.#old.get(object) ?? UNKNOWN;
      const owners = this.#ownersOf(route);
      const after = owners.length === 0 ? undefined : this.#copyOf(owners, false).tags;
      this.changes.push({ route, before, after, livesOn });
    }
    this.retired.delete(object);
    this.#old.delete(object);
  }

  recall(route: string): void {
    const owners = this.#ownersOf(route);
    const after = owners.length === 0 ? undefined : this.#copyOf(owners, false).tags;
    this.changes.push({ route, before: [], after, livesOn: false });
  }

  doubtAll(run: string): boolean {
    if (!this.#mayWrite(run)) return false;
    this.#tags.clear();
    for (const [name, page] of this.live)
      this.live.set(name, { ...page, hash: undefined, etag: undefined, cause: undefined });
    return true;
  }

  serveBy(cdn: string): void {
    if (cdn === this.#cdn) return;
    this.#cdn = cdn;
    this.#tags.clear();
    this.#old.clear();
    for (const [at, { route, after }] of this.changes.entries()) {
      const unknown = { before: [], after: after === undefined ? undefined : [] };
      this.changes[at] = { route, ...unknown, livesOn: false };
    }
  }

  cameLate(run: string, late: Parameters<Ledger["cameLate"]>[1]): boolean {
    if (!this.#mayWrite(run)) return false;
    const unknown = { hash: undefined, etag: undefined, cause: undefined };
    this.#remember(late.altered);
    for (const id of late.altered) {
      const page = this.live.get(nameOf(id));
      if (page !== undefined) this.live.set(nameOf(id), { ...page, ...unknown });
      this.#tags.delete(nameOf(id));
    }
    this.#addRetired(late.retired, new Map());
    for (const object of late.objects) this.lingering.delete(object);
    return true;
  }

  doubt(
    run: string,
    intents: readonly Intent[],
    release: number,
    lateUntil: number | undefined,
  ): boolean {
    if (!this.#mayWrite(run)) return false;
    const unknown = { hash: undefined, etag: undefined, cause: undefined };
    this.#remember(intents);
    for (const each of intents) {
      const page = this.live.get(nameOf(each));
      const isTaken = [...this.live.values()].some(({ route }) => route === each.route);
      if (page !== undefined) {
        this.live.set(nameOf(each), { ...page, ...unknown });
        this.#tags.delete(nameOf(each));
      } else if (!isTaken) {
        const empty = { bytes: 0, trace: Buffer.alloc(0), lastmod: undefined, release };
        this.live.set(nameOf(each), { ...each, ...unknown, ...empty });
        this.#takeOff(address(each.route).key);
      }
    }
    for (const each of intents) {
      this.#suspect(each.route);
      if (lateUntil !== undefined) this.lingering.set(address(each.route).key, lateUntil);
      this.pending.delete(nameOf(each));
    }
    return true;
  }

  freeze(run: string, batches: readonly (readonly string[])[]): boolean {
    if (!this.#mayWrite(run)) return false;
    const none = { invalidation: undefined, sentAt: undefined, refusal: undefined };
    for (const items of batches) this.batches.push({ items, ...none, cover: 0 });
    this.covers.unshift({ items: batches.flat().length, doneAt: undefined });
    this.changes.length = 0;
    return true;
  }

  sent(at: number, moment: number): void {
    const batch = this.batches[at];
    if (batch === undefined) return;
    const { sentAt = moment, items } = batch;
    if (batch.sentAt === undefined && moment === MAY) this.spent += items.length;
    this.batches[at] = { ...batch, invalidation: "I1", sentAt, refusal: undefined };
  }

  contents(runs: readonly string[]): unknown {
    return {
      live: sorted(this.live).map(plain),
      counted: this.live.size,
      plans: runs.map((run) => planOf(sorted(this.plans.get(run) ?? new Map()))),
      intents: sorted(this.pending).map(plain),
      retired: [...this.retired.values()].sort(byMoment).map(plain),
      lingering: [...this.lingering]
        .map(([object, until]) => ({ object, until }))
        .sort((a, b) => bytes(a.object, b.object)),
      changes: this.changes.toSorted(byText),
      counts: this.#counts(),
      outbox: this.batches.map(({ cover: _, ...batch }) => batch),
      covers: this.covers,
      spent: this.spent,
      quarantined: sorted(this.failed).map(plain),
      releases: this.releases.toReversed(),
      former: [...this.former.values()].sort((a, b) => bytes(a.route, b.route)).map(plain),
      past: inOrder([...this.past.values()]).map(plain),
      ...this.#rows(runs),
    };
  }

  #rows(runs: readonly string[]): object {
    const known = [...this.known.values()].sort(
      (a, b) => bytes(a.table, b.table) || Buffer.compare(a.row.key, b.row.key),
    );
    const seen = runs.map((run) =>
      [...(this.seen.get(run)?.values() ?? [])].sort(
        (a, b) => bytes(a.table, b.table) || Buffer.compare(a.key, b.key),
      ),
    );
    const due = known.flatMap(({ table, row: { key, dueAt } }) =>
      dueAt === undefined ? [] : [{ table, key, dueAt }],
    );
    return {
      known: known.map(({ row }) => plain(row)),
      seen: seen.map((rows) => rows.map(({ table, key, now }) => plain({ table, key, ...now }))),
      // The sort is stable, so rows due at one moment stay in the order of table and key.
      due: due.sort((a, b) => a.dueAt - b.dueAt).map(plain),
      readers: [...this.readers.values()].map(({ kind, key }) => plain({ kind, key })).sort(byText),
    };
  }

  #isFreed = false;
  #cdn = "";
  /** Tags of live pages, where they are known. */
  readonly #tags = new Map<string, readonly string[]>();
  /** Copies of retired objects. */
  readonly #old = new Map<string, Copy>();

  #tag(page: Tagged): void {
    if (page.tags.length === 0) this.#tags.delete(nameOf(page));
    else this.#tags.set(nameOf(page), page.tags);
  }

  #ownersOf(route: string): readonly LivePage[] {
    return [...this.live.values()].filter((page) => page.route === route);
  }

  #copyOf(pages: readonly PageId[], livesOn: boolean): Copy {
    const [page] = pages;
    const tags = page === undefined || pages.length > 1 ? undefined : this.#tags.get(nameOf(page));
    return tags === undefined ? UNKNOWN : { tags, livesOn };
  }

  /** What is live of these pages, by object. */
  #copiesOf(ids: readonly PageId[], livesOn: boolean): ReadonlyMap<string, Copy> {
    const pages = ids.flatMap((id) => this.live.get(nameOf(id)) ?? []);
    const byObject = Map.groupBy(pages, ({ route }) => address(route).key);
    return new Map([...byObject].map(([object, own]) => [object, this.#copyOf(own, livesOn)]));
  }

  #counts(): object {
    const lists = [...this.#tags.values()].map((tags) => new Set(tags.slice(1)));
    const routes = [...this.live.values()].map(({ route }) => route);
    const below = (folder: string) => {
      const inside = routes.filter((route) => route.startsWith(folder) && route !== folder).length;
      return inside + (routes.includes(folder) ? 1 : 0);
    };
    return {
      live: below("/"),
      tagged: new Map(TAGS.map((tag) => [tag, lists.filter((tags) => tags.has(tag)).length])),
      below: new Map(FOLDERS.map((folder) => [folder, below(folder)])),
    };
  }

  #mayWrite(run: string): boolean {
    return this.holder === undefined || this.holder === run;
  }

  #add(
    { retired = [], added = [], dropped = [] }: Beside,
    before: ReadonlyMap<string, Copy>,
  ): void {
    this.#addRetired(retired, before);
    for (const each of dropped) this.readers.delete(readerName(each));
    for (const each of added) this.readers.set(readerName(each), each);
  }

  #turnOver({ left, taken, redirects }: Turnover): void {
    const pages = [...this.live.values()].filter(({ kind }) => kind !== redirects);
    this.#keepFormer(
      left,
      pages.filter(({ hash }) => hash !== undefined),
    );
    for (const route of taken) this.former.delete(route);
  }

  #remember(ids: readonly PageId[]): void {
    const until = this.releases.length + 1;
    for (const id of ids) {
      const page = this.live.get(nameOf(id));
      const name = `${until} ${nameOf(id)}`;
      if (page === undefined || page.release >= until || this.past.has(name)) continue;
      const { trace: _, cause: __, ...was } = page;
      this.past.set(name, { ...was, until, reason: "unfinished" });
    }
  }

  #addRetired(retired: readonly Retired[], before: ReadonlyMap<string, Copy>): void {
    const objects = new Set([...this.live.values()].map(({ route }) => address(route).key));
    const held = new Set(this.retired.keys());
    for (const each of retired) {
      if (objects.has(each.object)) continue;
      this.retired.set(each.object, this.#later(each));
      const old = held.has(each.object) ? undefined : before.get(each.object);
      this.#old.set(each.object, old ?? UNKNOWN);
    }
  }

  #later({ stays = 0, ...now }: Retired): Retired {
    const { dueAt: then, stays: stayed = 0 } = this.retired.get(now.object) ?? { dueAt: 0 };
    if (then !== undefined && now.dueAt !== undefined)
      return { ...now, dueAt: Math.max(then, now.dueAt) };
    const own = now.dueAt === undefined ? stays : 0;
    return { ...now, dueAt: undefined, stays: Math.max(stayed, own) };
  }

  #suspect(route: string): void {
    const owners = [...this.live.values()].filter((page) => page.route === route);
    this.#remember(owners);
    for (const page of owners) {
      this.live.set(nameOf(page), { ...page, hash: undefined, etag: undefined, cause: undefined });
      this.#tags.delete(nameOf(page));
    }
    if (owners.length > 0) return;
    const { key: object } = address(route);
    this.#addRetired([{ object, dueAt: 0, isCached: true }], new Map());
  }
}

/** What the edge may hold of an object. */
interface Copy {
  readonly tags: readonly string[];
  readonly livesOn: boolean;
}

const UNKNOWN: Copy = { tags: [], livesOn: false };

const ACTIONS: readonly string[] = ["create", "update", "delete"];

function planOf(steps: readonly Step[]): unknown {
  const wanting = steps.filter(({ action }) => action !== "delete");
  const clashes = [...Map.groupBy(wanting, ({ route }) => foldRoute(route)).values()];
  const counts = Map.groupBy(steps, ({ phase, kind, action, reason }) =>
    JSON.stringify([phase, kind, action, reason.split(":")[0]]),
  );
  return {
    steps: steps.map(plain),
    counts: [...counts.values()].map(countOf).sort(byCount),
    clashes: clashes
      .filter((group) => group.length > 1)
      .map((group) => group.map(plain))
      .sort(byText),
  };
}

function countOf(
  steps: readonly Step[],
): { count: number } & Pick<Step, "phase" | "kind" | "action" | "reason"> {
  const [first] = steps;
  if (first === undefined) throw new Error("A group is never empty.");
  const { phase, kind, action, reason } = first;
  return { phase, kind, action, reason: reason.split(":")[0] ?? "", count: steps.length };
}

function byCount(a: ReturnType<typeof countOf>, b: ReturnType<typeof countOf>): number {
  const phases = PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase);
  const actions = ACTIONS.indexOf(a.action) - ACTIONS.indexOf(b.action);
  return phases || bytes(a.kind, b.kind) || actions || bytes(a.reason, b.reason);
}

function sorted<T extends PageId>(pages: ReadonlyMap<string, T>): readonly T[] {
  return [...pages.values()].sort((a, b) => bytes(a.kind, b.kind) || Buffer.compare(a.key, b.key));
}

function byMoment(a: Retired, b: Retired): number {
  return (a.dueAt ?? 0) - (b.dueAt ?? 0) || bytes(a.object, b.object);
}

function bytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function rowName({ table, key }: SeenRow): string {
  return `${table}/${Buffer.from(key).toString("hex")}`;
}

function readerName(reader: Reader): string {
  return `${Buffer.from(reader.read).toString("hex")} ${nameOf(reader)}`;
}

function nameOf({ kind, key }: PageId): string {
  return `${kind}/${Buffer.from(key).toString("hex")}`;
}
