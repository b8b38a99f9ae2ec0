import { rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { openMysqlTarget } from "../src/source/mysql-target.ts";
import { openSqliteTarget } from "../src/source/sqlite-target.ts";
import { temporaryFolder } from "../test/services/daemon.ts";
import { mariaDbAt, startMariaDb } from "../test/services/mariadb.ts";
import { bulkLoad } from "./bulk-load.ts";
import { copySite, sqliteEditor } from "./copied-site.ts";
import { corpusTimes, type DataSet, synthetic } from "./data-sets.ts";
import { type Cost, measured } from "./measured.ts";
import { rebuildTimes } from "./rebuild-times.ts";
import { EDITS, type Editor, type ScaleSite } from "./scale-edits.ts";

const HELP = `Measures whole builds of large sites: one process a step, one new folder a run.

  node bench/scale.ts [--size NAME] [--source sqlite|mariadb] [--edits N] [--dir DIR] [--json FILE]

  --size    corpus; 100k: the corpus 24 times (100,296 articles); or a number of synthetic articles
            with four times as many activities, e.g. 1000000 (default corpus)
  --source  sqlite, or a MariaDB of its own without binlog (default sqlite); the ledger is SQLite,
            pages go to a folder
  --edits   of one article, rebuilt in a running process at the end (default 20)
  --dir     where the run's folder is made (default: temporary files); it is deleted at the end
  --json    writes every figure there, too
`;
const FAST_MARIADB = ["--skip-log-bin", "--skip-log-slave-updates"];
const BUFFER_POOL = "--innodb-buffer-pool-size=2G";
const MB = 2 ** 20;

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "corpus" },
    source: { type: "string", default: "sqlite" },
    edits: { type: "string", default: "20" },
    dir: { type: "string" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else await main();

/** One step, measured. */
interface Figure extends Cost {
  readonly step: string;
  readonly rendered: number;
  readonly put: number;
  readonly deleted: number;
  readonly load: number;
}

async function main(): Promise<void> {
  const dir =
    values.dir === undefined ? temporaryFolder("scale") : join(values.dir, `${Date.now()}`);
  await using open = new AsyncDisposableStack();
  open.defer(() => rmSync(dir, { recursive: true, force: true }));
  const config = copySite(dir);
  const { env, editor, load } = await openSource(dir, open);
  say(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, in ${dir}`);
  const startedMs = performance.now();
  const rows = await load(config, dataSet(values.size));
  say(`${JSON.stringify(Object.fromEntries(rows))} loaded in ${seconds(startedMs)} s`);
  const site: ScaleSite = {
    editor,
    article: await middle(editor),
    layout: join(dirname(config), "templates", "layouts", "base.eta"),
  };
  const figures: Figure[] = [];
  for (const [step, edit] of [["full build", async () => {}] as const, ...Object.entries(EDITS)]) {
    await edit(site);
    const figure = await measure(step, ["--config", config], { env, cwd: dir });
    figures.push(figure);
    say(line(figure));
    if (step === "full build") say(ledgerSize(env.NIGHTBAKE_HOME, figure.put, rows));
  }
  const rebuilds = await rebuildTimes({ config, env, cwd: dir, site, edits: Number(values.edits) });
  say(`rebuild of one edited article in a running process: ${rebuilds.text}`);
  if (values.json === undefined) return;
  const all = { size: values.size, source: values.source, rows: [...rows], figures, rebuilds };
  writeFileSync(values.json, `${JSON.stringify(all, null, 1)}\n`);
}

function dataSet(size: string): DataSet {
  if (size === "corpus") return corpusTimes(1);
  if (size === "100k") return corpusTimes(24);
  if (Number(size) > 0) return synthetic(Number(size));
  throw new Error(`There is no size ${size}.\n${HELP}`);
}

interface OpenedSource {
  readonly env: { readonly NIGHTBAKE_HOME: string; readonly OUT_DIR: string };
  readonly editor: Editor;
  load(config: string, data: DataSet): Promise<ReadonlyMap<string, number>>;
}

async function openSource(dir: string, open: AsyncDisposableStack): Promise<OpenedSource> {
  const home = join(dir, "home");
  const env = { NIGHTBAKE_HOME: home, OUT_DIR: join(dir, "out") };
  if (values.source === "sqlite") {
    const file = join(home, "source.db");
    const load: OpenedSource["load"] = async (config, data) => {
      await using target = await openSqliteTarget(file);
      return await bulkLoad(config, target, data);
    };
    return { env, load, editor: sqliteEditor(file) };
  }
  const server = open.use(await startMariaDb({ args: [...FAST_MARIADB, BUFFER_POOL] }));
  const url = await server.createDatabase("scale");
  const load: OpenedSource["load"] = async (config, data) => {
    await using target = await openMysqlTarget(url);
    return await bulkLoad(config, target, data);
  };
  const { query } = mariaDbAt(url);
  const write: Editor["write"] = async (sql, row) => void (await query(sql, row));
  const one: Editor["one"] = async (sql, row) => (await query(sql, row))[0] ?? {};
  const withUrl = { ...env, DATABASE_URL: url };
  return { env: withUrl, load, editor: { write, one } };
}

/** A published article with tags, half-way through the ids. */
async function middle(editor: Editor): Promise<number> {
  const { last } = await editor.one("SELECT MAX(id) AS last FROM articles");
  const { id } = await editor.one(
    "SELECT MIN(id) AS id FROM articles WHERE id >= ? AND status = 'published' AND main_tag IS NOT NULL",
    [Math.floor(Number(last) / 2)],
  );
  return Number(id);
}

async function measure(
  step: string,
  args: readonly string[],
  at: Parameters<typeof measured>[1],
): Promise<Figure> {
  const [load = 0] = loadavg();
  const { lines, ...cost } = await measured(["build", "--json", ...args], at);
  const summary = lines.find(({ event }) => event === "summary") as
    | { readonly rendered: number; readonly changed: number; readonly deleted: number }
    | undefined;
  const { rendered = 0, changed: put = 0, deleted = 0 } = summary ?? {};
  return { step, ...cost, rendered, put, deleted, load };
}

function line({ step, wallSeconds, cpuSeconds, peakBytes, rowsRead, ...counts }: Figure): string {
  return [
    step.padEnd(26),
    `${wallSeconds.toFixed(2)} s, CPU ${cpuSeconds.toFixed(2)} s`,
    `peak ${(peakBytes / MB).toFixed(0)} MB`,
    `rows read ${rowsRead.source}, of the ledger ${rowsRead.ledger}`,
    `rendered ${counts.rendered}, put ${counts.put}, deleted ${counts.deleted}`,
    `load ${counts.load.toFixed(1)}`,
  ].join("; ");
}

function ledgerSize(home: string, pages: number, rows: ReadonlyMap<string, number>): string {
  const { size } = statSync(join(home, "ledger.db"));
  const known = [...rows.values()].reduce((sum, count) => sum + count, 0);
  return `ledger ${(size / MB).toFixed(1)} MB: ${(size / pages).toFixed(0)} bytes for each of ${pages} pages, ${(size / known).toFixed(0)} for each of ${known} rows`;
}

function seconds(startedMs: number): string {
  return ((performance.now() - startedMs) / 1000).toFixed(1);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
