import type {
  Beside,
  Former,
  Intent,
  KnownRow,
  Ledger,
  LivePage,
  Past,
  Quarantined,
  Reader,
  Release,
  Retired,
  SeenRow,
  Turnover,
} from "../../src/ledger/ledger.ts";
import { address, foldRoute, type PageId, PHASES, type Step } from "../../src/site.ts";
import { byText, inOrder, plain } from "./fixtures.ts";

/** What a ledger should hold, kept in plain maps: the naive twin of the property test. */
export class LedgerModel {
  readonly live = new Map<string, LivePage>();
  readonly plans = new Map<string, Map<string, Step>>();
  readonly pending = new Map<string, Intent>();
  readonly retired = new Map<string, Retired>();
  readonly waiting = new Set<string>();
  readonly batches: { items: readonly string[]; invalidation: string | undefined }[] = [];
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

  intend(intents: readonly Intent[], items: readonly string[]): void {
    for (const each of intents) {
      const known = this.pending.get(nameOf(each));
      if (known !== undefined && known.route !== each.route) this.#suspect(known.route);
    }
    this.#remember(intents);
    for (const each of intents) this.pending.set(nameOf(each), each);
    for (const item of items) this.waiting.add(item);
  }

  confirm(run: string, pages: readonly LivePage[], beside: Beside): boolean {
    if (!this.#mayWrite(run)) return false;
    for (const page of pages) {
      this.live.set(nameOf(page), page);
      this.pending.delete(nameOf(page));
      this.plans.get(run)?.delete(nameOf(page));
      const object = address(page.route).key;
      const isDated = this.retired.has(object) && this.retired.get(object)?.dueAt !== undefined;
      if (isDated && beside.lateUntil !== undefined) this.lingering.set(object, beside.lateUntil);
      this.unretire(address(page.route).key);
    }
    this.#add(beside);
    if (beside.turnover !== undefined) this.#turnOver(beside.turnover);
    return true;
  }

  importFormer(former: readonly Former[], redirects: string): void {
    const pages = [...this.live.values()].filter(({ kind }) => kind !== redirects);
    const taken = new Set(pages.map(({ route }) => route));
    for (const each of former) if (!taken.has(each.route)) this.former.set(each.route, each);
  }

  retire(run: string, ids: readonly PageId[], beside: Beside): boolean {
    if (!this.#mayWrite(run)) return false;
    this.#remember(ids);
    for (const id of ids) this.live.delete(nameOf(id));
    this.unstage(run, ids);
    this.#add(beside);
    return true;
  }

  dateRetired(completedAt: number, copiesUntil: number): void {
    for (const [object, { stays = 0, ...each }] of this.retired) {
      if (each.dueAt !== undefined) continue;
      const dueAt = stays === 0 ? copiesUntil : Math.max(completedAt + stays, copiesUntil);
      this.retired.set(object, { ...each, dueAt });
    }
  }

  unretire(object: string): void {
    for (const item of this.retired.get(object)?.items ?? []) this.waiting.add(item);
    this.retired.delete(object);
  }

  cameLate(run: string, late: Parameters<Ledger["cameLate"]>[1]): boolean {
    if (!this.#mayWrite(run)) return false;
    const unknown = { hash: undefined, etag: undefined, cause: undefined };
    this.#remember(late.altered);
    for (const id of late.altered) {
      const page = this.live.get(nameOf(id));
      if (page !== undefined) this.live.set(nameOf(id), { ...page, ...unknown });
    }
    this.#addRetired(late.retired);
    for (const object of late.objects) this.lingering.delete(object);
    return true;
  }

  doubt(intents: readonly Intent[], release: number, lateUntil: number | undefined): void {
    const unknown = { hash: undefined, etag: undefined, cause: undefined };
    this.#remember(intents);
    for (const each of intents) {
      const page = this.live.get(nameOf(each));
      const isTaken = [...this.live.values()].some(({ route }) => route === each.route);
      if (page !== undefined) {
        this.live.set(nameOf(each), { ...page, ...unknown });
      } else if (!isTaken) {
        const empty = { bytes: 0, trace: Buffer.alloc(0), lastmod: undefined, release };
        this.live.set(nameOf(each), { ...each, ...unknown, ...empty });
        this.unretire(address(each.route).key);
      }
    }
    for (const each of intents) {
      this.#suspect(each.route);
      if (lateUntil !== undefined) this.lingering.set(address(each.route).key, lateUntil);
      this.pending.delete(nameOf(each));
    }
  }

  freeze(size: number): void {
    const items = [...this.waiting].sort();
    while (items.length > 0)
      this.batches.push({ items: items.splice(0, size), invalidation: undefined });
    this.waiting.clear();
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
      outbox: this.batches,
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

  #mayWrite(run: string): boolean {
    return this.holder === undefined || this.holder === run;
  }

  #add({ retired = [], added = [], dropped = [] }: Beside): void {
    this.#addRetired(retired);
    for (const each of dropped) this.readers.delete(readerName(each));
    for (const each of added) this.readers.set(readerName(each), each);
  }

  #turnOver({ left, taken, redirects }: Turnover): void {
    this.importFormer(left, redirects);
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

  #addRetired(retired: readonly Retired[]): void {
    const objects = new Set([...this.live.values()].map(({ route }) => address(route).key));
    for (const each of retired) {
      if (!objects.has(each.object)) this.retired.set(each.object, this.#later(each));
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
    }
    if (owners.length > 0) return;
    const { key: object, invalidations: items } = address(route);
    this.retired.set(object, this.#later({ object, dueAt: 0, items }));
  }
}

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
