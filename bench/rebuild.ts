import { mkdirSync, rmSync, statSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readConfig } from "../src/config.ts";
import { type BuildOptions, build, type Wired } from "../src/pipeline.ts";
import { openBuild, openLoad } from "../src/wiring.ts";
import { temporaryFolder } from "../test/services/daemon.ts";
import { mariaDbAt, startMariaDb } from "../test/services/mariadb.ts";
import { type Counts, countCalls, takeCounts } from "./counted.ts";
import { writeSynthetic } from "./synthetic.ts";

const HELP = `Measures a rebuild of one edited article in a running process.

  node bench/rebuild.ts [--site NAME]... [--edits N] [--database sqlite|mariadb] [--keep DIR] [--wide] [--trace]

  --site      corpus, or a number of articles with light bodies (default: corpus, 4000, 40000);
              edits take turns among them
  --edits     per site, after five that only warm up (default 15)
  --database  of rows and ledger (default sqlite); pages go to a folder
  --keep      makes the sites below DIR, or goes on with those that are there
  --wide      the rebuild names the rows of the listing table, too, so that lists and neighbours change
  --trace     prints the statements of each site's last edit
`;
const CORPUS = fileURLToPath(new URL("../../shared/corpus", import.meta.url));
const SITE = fileURLToPath(new URL("../site.config.ts", import.meta.url));
const WARM_UP = 5;
const OPTIONS: BuildOptions = {
  allowDeletes: true,
  isDryRun: false,
  signal: new AbortController().signal,
  emit() {},
};

const { values } = parseArgs({
  options: {
    site: { type: "string", multiple: true, default: ["corpus", "4000", "40000"] },
    edits: { type: "string", default: "15" },
    database: { type: "string", default: "sqlite" },
    keep: { type: "string" },
    wide: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else await main(values.keep ?? temporaryFolder("rebuild"));

/** A built site, and a way to edit its rows. */
interface Site extends AsyncDisposable {
  readonly name: string;
  readonly wired: Wired;
  /** Ids of articles that may be edited. */
  readonly ids: readonly number[];
  readonly ms: number[];
  /** User and system time of this process, which other programs change less. */
  readonly cpuMs: number[];
  counts: (Counts & { readonly texts: readonly string[] }) | undefined;
  write(sql: string, values: readonly (string | number)[]): Promise<void>;
  /** Tags of an article. */
  tags(id: number): Promise<readonly string[]>;
}

async function main(dir: string): Promise<void> {
  await using open = new AsyncDisposableStack();
  if (values.keep === undefined) open.defer(() => rmSync(dir, { recursive: true, force: true }));
  const server = values.database === "mariadb" ? open.use(await startMariaDb()) : undefined;
  const sites: Site[] = [];
  for (const name of values.site) sites.push(open.use(await made(name, join(dir, name), server)));
  countCalls();
  for (let n = 0; n < WARM_UP + Number(values.edits); n += 1) {
    for (const site of sites) await edit(site, n);
  }
  for (const site of sites) say(line(site));
}

/** Loads and builds a site, or brings one that is there up to date. */
async function made(
  name: string,
  dir: string,
  server: { createDatabase(name: string): Promise<string> } | undefined,
): Promise<Site> {
  mkdirSync(dir, { recursive: true });
  const databases = server && {
    DATABASE_URL: await server.createDatabase(`source_${name}`),
    LEDGER_URL: await server.createDatabase(`ledger_${name}`),
  };
  const env = { NIGHTBAKE_HOME: join(dir, "home"), OUT_DIR: join(dir, "out"), ...databases };
  const config = readConfig({ env, cwd: dir, options: { config: SITE } });
  const isThere = statSync(config.sourceFile, { throwIfNoEntry: false }) !== undefined;
  if (databases !== undefined || !isThere) {
    const rows = name === "corpus" ? CORPUS : join(dir, "rows");
    if (name !== "corpus") await writeSynthetic(rows, Number(name));
    await using loading = await openLoad(config);
    await loading.run(rows, {});
  }
  const wired = await openBuild(config);
  const startedMs = performance.now();
  const { rendered } = await build(wired, OPTIONS);
  say(`${name}: ${rendered} pages rendered in ${Math.round(performance.now() - startedMs)} ms`);
  const size = name === "corpus" ? 4000 : Number(name);
  const write = databases
    ? async (sql: string, row: readonly (string | number)[]) =>
        void (await mariaDbAt(databases.DATABASE_URL).query(sql, row))
    : async (sql: string, row: readonly (string | number)[]) => {
        const database = new DatabaseSync(config.sourceFile);
        database.prepare(sql).run(...row);
        database.close();
      };
  const tags = async (id: number) => {
    const sql = `SELECT tag FROM article_tags WHERE article_id = ${id}`;
    if (databases) return (await mariaDbAt(databases.DATABASE_URL).query(sql)).map(tagOf);
    using database = new DatabaseSync(config.sourceFile);
    return database.prepare(sql).all().map(tagOf);
  };
  const ids = Array.from({ length: 50 }, (_, n) => Math.floor((size * (n + 0.5)) / 50));
  const close = () => wired[Symbol.asyncDispose]();
  return {
    name,
    wired,
    ids,
    ms: [],
    cpuMs: [],
    counts: undefined,
    write,
    tags,
    [Symbol.asyncDispose]: close,
  };
}

/** As an application with a listing table does: in both tables. Then the rebuild is timed. */
async function edit(site: Site, n: number): Promise<void> {
  const id = site.ids[(n * 17) % site.ids.length] ?? 1;
  const title = `A title that nobody has given to an article yet ${n} ${Date.now()}`;
  await site.write("UPDATE articles SET title = ? WHERE id = ?", [title, id]);
  await site.write("UPDATE article_tags SET title = ? WHERE article_id = ?", [title, id]);
  const listed = values.wide ? (await site.tags(id)).map((tag) => `article_tags:${tag},${id}`) : [];
  const targets = [`article:${id}`, ...listed];
  takeCounts();
  const [startedMs, cpu] = [performance.now(), process.cpuUsage()];
  const { changed, rendered } = await build(site.wired, { ...OPTIONS, targets });
  const ms = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpu);
  if (changed === 0) throw new Error(`The edit of article ${id} of ${site.name} changed no page.`);
  site.counts = takeCounts();
  if (n >= WARM_UP) {
    site.ms.push(ms);
    site.cpuMs.push((user + system) / 1000);
  }
  if (values.trace && n === WARM_UP + Number(values.edits) - 1) {
    say(`${site.counts.texts.map((text) => text.replace(/\s+/g, " ").slice(0, 150)).join("\n")}\n`);
  }
  if (n === WARM_UP + Number(values.edits) - 1)
    say(`${site.name}: ${rendered} rendered, ${changed} put`);
}

function tagOf({ tag }: Record<string, unknown>): string {
  return String(tag);
}

function line({ name, ms, cpuMs, counts }: Site): string {
  const { transactions = 0, statements = 0, queries = 0, calls = 0 } = counts ?? {};
  const [load = 0] = loadavg();
  return [
    `${name.padEnd(8)} ${spread(ms)} ms, ${spread(cpuMs)} ms of CPU`,
    `last: ${transactions} transactions, ${statements} ledger statements, ${queries} source queries, ${calls} calls`,
    `load ${load.toFixed(1)}`,
  ].join("; ");
}

/** `3.1 (2.9-3.4)`, the median first. */
function spread(figures: readonly number[]): string {
  const sorted = figures.toSorted((a, b) => a - b);
  const [least = 0, most = 0] = [sorted[0], sorted.at(-1)];
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `${median.toFixed(1)} (${least.toFixed(1)}-${most.toFixed(1)})`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
