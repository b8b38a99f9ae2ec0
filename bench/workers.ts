import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openMysqlTarget } from "../src/source/mysql-target.ts";
import { openDelayed } from "../test/crew/delayed.ts";
import { type Member, startMember, type Told } from "../test/crew/process.ts";
import { type MariaDbAddress, startMariaDb } from "../test/services/mariadb.ts";
import { startMemoryS3 } from "../test/services/memory-s3.ts";
import { bulkLoad } from "./bulk-load.ts";
import { synthetic } from "./data-sets.ts";

const HELP = `Publishes a site with one process, then with that and helpers, on slow lines to database, ledger and store.
  node bench/workers.ts [--articles 1500] [--latency 20] [--workers 1,2,4] [--pages 100]
  --latency  ms that each answer takes longer
  --pages    pages of a shard
Rates are of the phases that processes share; planning, feeds and the record are one process's work.`;

/** The phases that are cut into shards. */
const SHARED = new Set(["new", "changed", "lists"]);

const { values } = parseArgs({
  options: {
    articles: { type: "string", default: "1500" },
    latency: { type: "string", default: "20" },
    workers: { type: "string", default: "1,2,4" },
    pages: { type: "string", default: "100" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(HELP);
else await run();

async function run(): Promise<void> {
  await using open = new AsyncDisposableStack();
  const database = open.use(
    await startMariaDb({ args: ["--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0"] }),
  );
  const s3 = open.use(await startMemoryS3());
  const source = await database.createDatabase("source");
  const config = fileURLToPath(new URL("../site.config.ts", import.meta.url));
  {
    await using target = await openMysqlTarget(source);
    await bulkLoad(config, target, synthetic(Number(values.articles)));
  }
  const ms = Number(values.latency);
  const [slowData, slowStore] = [
    open.use(await openDelayed(addressOf(source), ms)),
    open.use(await openDelayed(addressOf(s3.endpoint), ms)),
  ];
  const dir = mkdtempSync(join(tmpdir(), "workers-"));
  open.defer(() => rmSync(dir, { recursive: true, force: true }));
  console.log(`${cpus().length} processors, load ${loadavg()[0]?.toFixed(1)}, latency ${ms} ms`);
  let first: number | undefined;
  for (const count of values.workers.split(",").map(Number)) {
    s3.objects.clear();
    const ledger = await database.createDatabase(`ledger${count}`);
    const env = {
      NIGHTBAKE_HOME: join(dir, `home${count}`),
      DATABASE_URL: through(source, slowData.port),
      LEDGER_URL: through(ledger, slowData.port),
      S3_BUCKET: s3.bucket,
      S3_ENDPOINT: `http://127.0.0.1:${slowStore.port}`,
      AWS_REGION: s3.region,
      AWS_ACCESS_KEY_ID: s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
      NIGHTBAKE_BODIES_MB: "0",
      SHARD_PAGES: values.pages,
    };
    mkdirSync(env.NIGHTBAKE_HOME, { recursive: true });
    const before = await lockWaits(database);
    const { rate, line } = await measure(env, count);
    const after = await lockWaits(database);
    first ??= rate;
    const share = rate / first / count;
    const waits = `${after.waits - before.waits} waits for locks, ${after.ms - before.ms} ms, ${after.deadlocks - before.deadlocks} deadlocks, ${after.statements - before.statements} statements`;
    console.log(`${count} workers: ${line}, ${share.toFixed(2)} of linear; ${waits}`);
  }
}

async function measure(env: Readonly<Record<string, string>>, count: number) {
  await using members = new AsyncDisposableStack();
  const helpers: Member[] = [];
  for (let n = 1; n < count; n += 1) helpers.push(members.use(startMember("help", env)));
  await Promise.all(helpers.map((each) => each.heard("ready")));
  const builder = members.use(startMember("build", env));
  await builder.ended;
  for (const { child } of helpers) child.kill("SIGTERM");
  await Promise.all(helpers.map((each) => each.ended));
  const { pages, seconds } = sharedPart(builder.told);
  const took = [builder, ...helpers].flatMap(({ told }) => tookOf(told)).sort((a, b) => a - b);
  const p95 = took[Math.floor(took.length * 0.95)] ?? 0;
  const by = [builder, ...helpers].map(({ told }) => tookOf(told).length).join("+");
  const rate = pages / seconds;
  const line = `${pages} pages in ${seconds.toFixed(1)} s, ${rate.toFixed(0)} pages/s, ${by} shards, p95 ${p95} ms`;
  return { rate, line };
}

/** Pages and seconds of the phases that are shared, as the builder told them. */
function sharedPart(told: readonly Told[]): { readonly pages: number; readonly seconds: number } {
  const begins = told.filter(({ event }) => event === "phase");
  let [pages, ms] = [0, 0];
  for (const [n, { phase, at }] of begins.entries()) {
    if (!SHARED.has(String(phase))) continue;
    const end = begins[n + 1]?.["at"] ?? told.at(-2)?.["at"];
    const done = told.filter((each) => each.event === "progress" && each["phase"] === phase);
    pages += Number(begins[n]?.["total"] ?? done.at(-1)?.["done"] ?? 0);
    ms += Number(end) - Number(at);
  }
  return { pages, seconds: ms / 1000 };
}

/** How many statements there were, how often and how long (ms) they waited for rows that others had locked. */
async function lockWaits({ query }: MariaDbAddress) {
  const rows = await query(
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Innodb_row_lock_waits', 'Innodb_row_lock_time', 'Innodb_deadlocks', 'Questions')",
  );
  const of = (name: string) =>
    Number(rows.find((row) => row["Variable_name"] === name)?.["Value"] ?? 0);
  return {
    waits: of("Innodb_row_lock_waits"),
    ms: of("Innodb_row_lock_time"),
    deadlocks: of("Innodb_deadlocks"),
    statements: of("Questions"),
  };
}

function tookOf(told: readonly Told[]): readonly number[] {
  const last = told.find(({ event }) => event === "shards");
  return (last?.["took"] ?? []) as readonly number[];
}

function addressOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

function through(url: string, port: number): string {
  return Object.assign(new URL(url), { port: String(port) }).href;
}
