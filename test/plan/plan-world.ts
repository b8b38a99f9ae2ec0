import { existsSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Ledger, LivePage } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { readerChanges } from "../../src/pipeline/readers.ts";
import { barsOf } from "../../src/plan/bars.ts";
import type { PlanContext } from "../../src/plan/context.ts";
import { loadPages } from "../../src/plan/kinds.ts";
import { type Planned, planBuild } from "../../src/plan/plan.ts";
import { isLoaded } from "../../src/plan/stale.ts";
import { encodeTrace } from "../../src/plan/trace.ts";
import {
  decodeKey,
  digest,
  digestOf,
  keyName,
  listsOf,
  type Site,
  type Step,
  tablesOf,
} from "../../src/site.ts";
import { openSqliteSource } from "../../src/source/sqlite-source.ts";
import { openSqliteTarget } from "../../src/source/sqlite-target.ts";

/** Rows and a ledger of one site, and plans made from them: all of a build but rendering and putting. */
export interface PlanWorld extends AsyncDisposable {
  readonly ledger: Ledger;
  /** Works on the rows past the ports, in one transaction. */
  change(work: (database: DatabaseSync) => void): void;
  /** Runs `work` with a plan's context over the rows as they are, at the world's moment or another. */
  plan<T>(run: string, work: (context: PlanContext) => Promise<T>, at?: number): Promise<T>;
}

/** A disk in memory, on Linux: a change is a commit, which a disk syncs. */
const MEMORY = "/dev/shm";

/** Makes a world with the tables of a site, empty; `now` is the moment of all its plans. */
export async function planWorld(site: Site, now: number): Promise<PlanWorld> {
  const dir = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "nightbake-plan-"));
  const file = join(dir, "source.db");
  {
    await using target = await openSqliteTarget(file);
    await using transaction = await target.begin(tablesOf(site.kinds), listsOf(site.kinds));
    await transaction.commit();
  }
  const ledger = await openSqliteLedger(":memory:");
  const source = await openSqliteSource(file);
  const database = new DatabaseSync(file);
  return {
    ledger,
    change(work) {
      database.exec("BEGIN");
      work(database);
      database.exec("COMMIT");
    },
    async plan(run, work, at = now) {
      await using rows = await source.read(at);
      const made = {
        assets: [],
        content: new Map(),
        redirects: [],
        bars: barsOf([]),
        foldsCase: false,
        fingerprint: ({ name }: { readonly name: string }) => digest(name),
        making: () => ({}),
        isStoreTrusted: true,
        isCutOff: false,
        hasFailed: () => false,
        onSame: () => {},
        onTouched: () => {},
      };
      const onFailure: PlanContext["onFailure"] = ({ error }) => {
        throw error;
      };
      const notes = await ledger.notes();
      return await work({ site, run, now: at, rows, ledger, notes, onFailure, ...made });
    },
    async [Symbol.asyncDispose]() {
      database.close();
      await source[Symbol.asyncDispose]();
      await ledger[Symbol.asyncDispose]();
      await rm(dir, { recursive: true });
    },
  };
}

/** Plans a build from the rows that changed, or with every trace checked. */
export async function planRows(
  context: PlanContext,
  { isVerify }: { readonly isVerify: boolean },
): Promise<Planned> {
  const options = {
    only: undefined,
    targets: undefined,
    isVerify,
    foldsCase: false,
    onPages: () => {},
  };
  return await planBuild(context, options);
}

/** Every step of a plan in words, in page order. */
export async function stepsIn({ ledger, run }: PlanContext): Promise<readonly string[]> {
  const steps = await ledger.staged(run, { limit: 100_000 });
  return steps.map(({ kind, key, phase, action, reason, route, from, start }) =>
    [
      `${action} ${kind}/${keyName(decodeKey(key))} in ${phase}: ${reason}`,
      `at ${route} from ${from}`,
      `start ${start && keyName(decodeKey(start))}`,
    ].join(", "),
  );
}

/** Does what a plan says in the ledger alone: its pages are live with their traces, or gone. */
export async function applyPlan(context: PlanContext): Promise<void> {
  const { ledger, run, site } = context;
  const steps = await ledger.staged(run, { limit: 100_000 });
  const puts = steps.filter(({ action }) => action !== "delete");
  for (const kind of site.kinds) {
    const own = puts.filter((step) => step.kind === kind.name);
    const planned = own.map((step) => ({ ...step, lastmod: undefined }));
    const loaded = await loadPages(kind, context, planned);
    const pages = loaded.flatMap((page, at): readonly LivePage[] => {
      const step = own[at];
      if (!isLoaded(page) || step === undefined) throw new Error("A page could not be loaded.");
      const trace = encodeTrace({ reads: page.reads, uses: page.uses, refs: [] });
      return [{ ...put(step), hash: digestOf(page.data), trace, lastmod: page.lastmod }];
    });
    await ledger.confirm(run, pages, readerChanges(await ledger.pages(pages), pages));
  }
  const gone = steps.filter(({ action }) => action === "delete");
  const before = await ledger.pages(gone);
  const readers = readerChanges(
    before,
    gone.map(() => undefined),
  );
  await ledger.retire(run, gone, readers);
}

/** Records a plan that was applied. */
export async function finishPlan(
  { ledger, run }: PlanContext,
  notes: Planned["notes"],
): Promise<void> {
  const id = (await ledger.release()) + 1;
  await ledger.finish(run, { id, startedAt: 1, finishedAt: 2, report: undefined }, notes);
}

/** Plans and applies everything from the rows as they are. */
export async function applyRows(world: PlanWorld): Promise<void> {
  await world.plan("apply", async (context) => {
    const { notes } = await planRows(context, { isVerify: true });
    await applyPlan(context);
    await finishPlan(context, notes);
  });
}

function put({ kind, key, route, start }: Step) {
  return { kind, key, route, start, etag: undefined, bytes: 1, release: 1 };
}

/** The same context, whose ledger and rows count their calls by name. */
export function countedContext(context: PlanContext, counts: Map<string, number>): PlanContext {
  const counted = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        counts.set(String(name), (counts.get(String(name)) ?? 0) + 1);
        return member.bind(target);
      },
    });
  return { ...context, ledger: counted(context.ledger), rows: counted(context.rows) };
}
