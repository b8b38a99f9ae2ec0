import { join } from "node:path";
import { noCache } from "../../src/cache/none.ts";
import { TERMS } from "../../src/invalidate/terms.ts";
import { importQuarantine } from "../../src/pipeline/import-quarantine.ts";
import { exportQuarantine } from "../../src/pipeline/quarantine.ts";
import { exportHistory, importHistory } from "../../src/pipeline/route-history.ts";
import {
  exportTakedowns,
  importTakedowns,
  lift,
  takeDown,
  takedownsOf,
} from "../../src/pipeline.ts";
import { openSlots } from "../../src/publish/slots.ts";
import type { Artifact } from "../../src/site.ts";
import type { Source } from "../../src/source/source.ts";
import { evictedBy, pathsOf } from "../pipeline/cache-cdn.ts";
import { MENDED } from "../pipeline/files.ts";
import { DAY, START } from "../pipeline/rows.ts";
import { bake, differences, SITE, served, shown, smallSite } from "../pipeline/small-site.ts";
import { openKeptSource } from "./kept-source.ts";
import { describeMoment, type History, type Moment, type Run } from "./moments.ts";
import { openRowsFile, type RowsFile } from "./rows-file.ts";
import { factsOf, openReused, type ReusedLedger, type Side } from "./side.ts";
import { changed, FIRST, makingOf, type SiteFiles } from "./site-parts.ts";

/** What was counted over all steps of all histories. */
export interface Sums {
  histories: number;
  steps: number;
  /** Comparisons with a build from scratch; pages with a last good version stand in the way of others. */
  compared: number;
  /** Pages, over the steps without edits of files or definition. */
  rendered: number;
  changed: number;
  /** Steps after which pages failed. */
  failing: number;
}

/** Checks histories one after another, with one source and one folder for all. */
export interface Checker extends AsyncDisposable {
  readonly sums: Sums;
  /** @throws Error that names the step and what is wrong */
  check(history: History): Promise<void>;
}

/** Runs between two comparisons. */
const STRIDE = 3;

/** Databases in which histories are lived, instead of SQLite; builds from scratch stay there. */
export interface Databases {
  readonly source: Source;
  /** An empty ledger. */
  open(): Promise<Side>;
  /** Makes the rows those of the SQLite source `from`, none of which is bad. */
  copyRows(from: Source): Promise<void>;
}

/** Opens a checker. */
export async function openChecker(databases?: Databases): Promise<Checker> {
  await using stack = new AsyncDisposableStack();
  const site = stack.use(await smallSite());
  const rows = stack.use(openRowsFile(site.source));
  const source = stack.use(openKeptSource(site.source));
  const sums: Sums = { histories: 0, steps: 0, compared: 0, rendered: 0, changed: 0, failing: 0 };
  const lived = stack.use(await openReused(join(site.dir, "ledger.db")));
  const scratch = stack.use(await openReused());
  const all = stack.move();
  return {
    sums,
    async check(history) {
      rows.empty();
      const side = (await databases?.open()) ?? lived.side();
      const world = { dir: site.dir, rows, source, databases, side, sums, scratch };
      await follow({ ...world, files: FIRST, now: START, latest: START, lost: false }, history);
      sums.histories += 1;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** One history under way. */
interface World {
  readonly dir: string;
  readonly rows: RowsFile;
  readonly source: Source;
  readonly databases: Databases | undefined;
  readonly side: Side;
  readonly sums: Sums;
  readonly scratch: ReusedLedger;
  files: SiteFiles;
  /** µs */
  now: number;
  latest: number;
  /** A rebuild was not told of all rows that changed. */
  lost: boolean;
}

async function follow(world: World, { posts, moments }: History): Promise<void> {
  world.rows.write(posts);
  let due = STRIDE;
  for (const [at, moment] of moments.entries()) {
    const isLast = at === moments.length - 1;
    due -= 1;
    try {
      const run = isLast ? "build" : moment.run;
      await live(world, { ...moment, run });
      if (world.lost || (due > 0 && !isLast)) continue;
      await compare(world);
      // The last one is a build.
      if (isLast) await idle(world);
      due = STRIDE;
    } catch (cause) {
      throw new Error(`Step ${at + 1} (${describeMoment(moment)}): ${textOf(cause)}`, { cause });
    }
  }
  await mend(world);
}

/** Lets a moment come and runs. */
async function live(world: World, moment: Moment): Promise<void> {
  const { changes, files, windows, days, run, away, back } = moment;
  world.now += days * DAY;
  world.latest = Math.max(world.latest, world.now);
  const isStrict = world.databases !== undefined;
  const rows = world.rows.write(isStrict ? changes.filter((each) => each.do !== "spoil") : changes);
  const isEdited = files.length > 0 || windows !== undefined;
  if (isEdited) world.files = changed(world.files, files, windows);
  await once(world, run, { rows, isEdited, away, back });
}

/** Runs, and checks what the run did. */
async function once(
  world: World,
  run: Run,
  {
    rows,
    isEdited,
    ...takedowns
  }: { readonly rows: readonly string[]; readonly isEdited: boolean } & Takedowns,
): Promise<void> {
  const { side, sums, now } = world;
  const before = new Map(side.objects);
  side.forget();
  const told = typeof run === "string" ? rows : rows.filter((_, at) => (run.told >> (at % 8)) & 1);
  const targets = run === "build" ? {} : { targets: told };
  await world.databases?.copyRows(world.source);
  await takeAway(world, takedowns);
  const summary = await bake(await wiringOf(world, side), { now: () => now, ...targets });
  world.lost = run !== "build" && (world.lost || told.length < rows.length);
  checkDone(side, before, summary.failed > 0);
  sums.steps += 1;
  if (summary.failed > 0) sums.failing += 1;
  if (isEdited) return;
  sums.rendered += summary.rendered;
  sums.changed += summary.changed;
}

async function wiringOf(world: World, { ledger, store, cdn }: Side) {
  const making = await makingOf(world.files, world.dir);
  const isLived = world.side.ledger === ledger;
  const source = (isLived ? world.databases?.source : undefined) ?? world.source;
  const parts = { ...making, source, ledger, store, cdn };
  const close = async () => {};
  return {
    ...parts,
    terms: { ...TERMS, maxShare: 0 },
    deleteShare: 1,
    slots: openSlots({ concurrency: 4, sleep: close }),
    bodies: noCache,
    bodyEngine: Buffer.from("engine"),
    sleep: close,
    [Symbol.asyncDispose]: close,
  };
}

type Takedowns = Pick<Moment, "away" | "back">;

/** Takes a page down and ends a takedown; the run that comes does the rest. */
async function takeAway(world: World, { away, back }: Takedowns): Promise<void> {
  if (away === undefined && back === undefined) return;
  const { side, now: since } = world;
  const wired = await wiringOf(world, side);
  const bars = await takedownsOf(side);
  const lifted = back === undefined ? undefined : bars[back % bars.length];
  if (lifted !== undefined) await lift(wired, [lifted.route]);
  const kinds = SITE.kinds.filter(({ is }) => is !== "sitemap" && is !== "redirect");
  const live = await Promise.all(
    kinds.map(({ name }) => side.ledger.live(name, undefined, 10_000)),
  );
  // Pages of an archive go with their list only.
  const routes = live.flat().flatMap(({ route, start }) => (start === undefined ? [route] : []));
  const route = away === undefined ? undefined : routes[away % routes.length];
  const signal = new AbortController().signal;
  const asked = { since, reason: "", isErased: false, signal };
  if (route !== undefined) await takeDown(wired, [route], asked);
  side.excuse();
}

/** What was put is what differs, nothing after a delete; what the CDN was told is what readers had. */
function checkDone(side: Side, before: ReadonlyMap<string, Artifact>, hasFailed: boolean): void {
  const { objects, late } = side;
  // An asset that comes back while it is kept for readers is new all the same.
  const isBack = (key: string) => key.startsWith("assets/") && before.has(key);
  const puts = side.puts.filter((key) => !key.startsWith(".") && !isBack(key));
  const differing = [...served(objects)].filter(([key, now]) => !isSame(before.get(key), now));
  // A page may be put again without the links to one that failed after it.
  same(
    "puts",
    hasFailed ? [...new Set(puts)] : puts,
    differing.map(([key]) => key),
  );
  same("put after deletes", late, []);
  const gone = [...before.keys()].filter((key) => !objects.has(key));
  const stale = [...differing.map(([key]) => key), ...gone]
    .filter((key) => before.has(key) && !key.startsWith("assets/"))
    .flatMap(pathsOf);
  // All that readers had, and what of it was told to be evicted: with no share of unchanged pages, just that.
  const held = new Map(
    [...before].flatMap(([key, copy]) => pathsOf(key).map((path) => [path, copy] as const)),
  );
  const evicted = new Set(side.items.flatMap((item) => evictedBy(item, held)));
  same("evicted", [...evicted], stale);
  if (stale.length === 0 && !hasFailed) same("told the CDN", side.items, []);
}

function isSame(a: Artifact | undefined, b: Artifact): boolean {
  if (a === b) return true;
  return a !== undefined && Buffer.compare(a.body, b.body) === 0 && headersOf(a) === headersOf(b);
}

function headersOf({ contentType, cacheControl, contentLanguage, metadata }: Artifact): string {
  return JSON.stringify([contentType, cacheControl, contentLanguage, metadata]);
}

/** The store is what a build from scratch makes of the same rows, files, moment and ledger inputs. */
async function compare(world: World): Promise<void> {
  const { side, now, sums } = world;
  const other = world.scratch.side();
  const wired = await wiringOf(world, other);
  await importHistory(wired, exportHistory(side.ledger), "history");
  const signal = new AbortController().signal;
  const options = { file: "quarantine", signal, emit: () => {}, now: () => now };
  await importQuarantine(wired, exportQuarantine(side), options);
  await importTakedowns(wired, exportTakedowns(side.ledger), { ...options, file: "bars" });
  const { failed } = await bake(wired, { now: () => now });
  sums.compared += 1;
  const wanted = shown(served(other.objects));
  // Assets that were replaced stay for a day.
  const isKept = (key: string) => !key.startsWith("assets/") || wanted[key] !== undefined;
  const actual = Object.entries(shown(served(side.objects))).filter(([key]) => isKept(key));
  same("store", differences(Object.fromEntries(actual), wanted), []);
  // What fails was made from other reads there.
  if (failed === 0) {
    const [known, facts] = [await factsOf(side.ledger), await factsOf(other.ledger)];
    same("facts", known.split("\n"), facts.split("\n"));
  }
}

/** A build after a build does nothing. */
async function idle(world: World): Promise<void> {
  const { side, now } = world;
  side.forget();
  const dump = await side.dump();
  const { release } = await bake(await wiringOf(world, side), { now: () => now });
  same("puts of a second build", side.puts, []);
  same("invalidations of a second build", side.items, []);
  if (release !== undefined) throw new Error("A second build made a release.");
  if ((await side.dump()) !== dump) throw new Error("A second build wrote to the ledger.");
}

/** Nothing fails any more, and what was kept for readers of the day before is gone. */
async function mend(world: World): Promise<void> {
  world.files = changed(world.files, MENDED, undefined);
  world.now = world.latest + 2 * DAY;
  const rows =
    world.rows.exec(`DELETE FROM moved; DELETE FROM posts WHERE title = 'throw' OR typeof(title) <> 'text'
    OR status NOT IN ('draft', 'published') OR author IS NULL OR extra IS NOT NULL OR slug LIKE '%.%'
    OR typeof(published_at) <> 'integer' OR slug IN (SELECT slug FROM posts GROUP BY slug HAVING COUNT(*) > 1);
    DELETE FROM topics WHERE post_id NOT IN (SELECT id FROM posts)`);
  await once(world, "build", { rows, isEdited: true });
  await compare(world);
  await idle(world);
}

function same(what: string, actual: readonly string[], expected: readonly string[]): void {
  const [a, b] = [actual.toSorted(), expected.toSorted()];
  if (a.join("\n") === b.join("\n")) return;
  throw new Error(`${what}: ${JSON.stringify(a)}, expected ${JSON.stringify(b)}`);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
