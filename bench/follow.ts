import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { temporaryFolder } from "../test/services/daemon.ts";
import { latency, type SustainedRound, sustained } from "./follow-times.ts";
import { type FollowedSite, firstBuild, loadSizes, SITE_ARGS, siteIn } from "./followed-site.ts";
import { startKeptMariaDb } from "./kept-mariadb.ts";
import { measured } from "./measured.ts";
import { cpuSecondsOf } from "./process-cpu.ts";
import { replicaShare } from "./replica-share.ts";
import { scanTables } from "./scan-tables.ts";
import { percentiles, quantile } from "./spread.ts";

const HELP = `Measures following a MariaDB of its own: from commit to object, what is sustained, what builds with nothing to do cost.

  node bench/follow.ts [--size N]... [--step NAME]... [--rounds N] [--edits N] [--rows N] [--dir DIR] [--json FILE]

  --size    articles of some 4 KB, with three rows in the listing table and four activities each; rounds take turns
            among sizes (default 4000; 1000000 loads for three minutes, is built for half an hour, and takes 25 GB)
  --step    latency, sustained, builds, scans, replicas (default: all)
  --rounds  of each step and size, each with processes of its own (default 3)
  --edits   of one round of latency, after ten that only warm up (default 60)
  --rows    of one round of sustained (default 2000)
  --dir     keeps rows and sites there, so that the next time nothing is loaded (default: temporary files)
  --json    writes every figure there, too
`;
const STEPS = ["latency", "sustained", "builds", "scans", "replicas"];
/** For the share of replicas a small site will do. */
const SHARED_ARTICLES = 4_000;

const { values } = parseArgs({
  options: {
    size: { type: "string", multiple: true, default: ["4000"] },
    step: { type: "string", multiple: true, default: STEPS },
    rounds: { type: "string", default: "3" },
    edits: { type: "string", default: "60" },
    rows: { type: "string", default: "2000" },
    dir: { type: "string" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const figures: Record<string, unknown>[] = [];
if (values.help) process.stdout.write(HELP);
else await main(values.size.map(Number));

async function main(sizes: readonly number[]): Promise<void> {
  const dir = values.dir ?? temporaryFolder("follow-bench");
  await using open = new AsyncDisposableStack();
  if (values.dir === undefined) open.defer(() => rmSync(dir, { recursive: true, force: true }));
  say(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, in ${dir}`);
  await loadSizes(dir, sizes);
  const server = open.use(await startKeptMariaDb(dir));
  // A log without an entry has no position to follow from.
  await server.query("CREATE DATABASE IF NOT EXISTS written");
  const serverPid = Number(readFileSync(join(dir, "pid"), "utf8"));
  const sites = sizes.map((articles) => siteIn(dir, server, articles));
  for (const site of sites) {
    const built = await firstBuild(dir, site);
    if (built !== undefined) figure("first build", site, without(built));
  }
  const rounds = Array.from({ length: Number(values.rounds) }, (_, n) => n + 1);
  const isWanted = (step: string) => values.step.includes(step);
  if (isWanted("latency")) await measureLatency(sites, rounds);
  if (isWanted("sustained")) await measureSustained(sites, rounds);
  if (isWanted("builds")) await measureBuilds(sites, rounds, serverPid);
  if (isWanted("scans")) await measureScans(sites, rounds, serverPid);
  if (isWanted("replicas"))
    say(`replicas: ${JSON.stringify(await replicaShare(dir, SHARED_ARTICLES))}`);
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify(figures, null, 1)}\n`);
}

async function measureLatency(sites: readonly FollowedSite[], rounds: readonly number[]) {
  const all = new Map(
    sites.map((site) => [site, { object: [] as number[], release: [] as number[] }]),
  );
  for (const round of rounds) {
    for (const [site, { object, release }] of all) {
      const seed = round * 1_000 + (Date.now() % 1_000);
      const { objectMs, releaseMs, load } = await latency(site, Number(values.edits), seed);
      object.push(...objectMs);
      release.push(...releaseMs);
      figure("latency, ms", site, {
        object: percentiles(objectMs),
        release: percentiles(releaseMs),
        load,
      });
    }
  }
  for (const [site, { object, release }] of all) {
    figure("latency of all rounds, ms", site, {
      edits: object.length,
      object: percentiles(object),
      p95: quantile(object, 0.95).toFixed(0),
      release: percentiles(release),
    });
  }
}

async function measureSustained(sites: readonly FollowedSite[], rounds: readonly number[]) {
  const all = new Map<string, SustainedRound[]>();
  for (const round of rounds) {
    for (const site of sites) {
      for (const perTransaction of [1, 10]) {
        const asked = { rows: Number(values.rows), perTransaction, seed: round };
        const found = await sustained(site, asked);
        const name = `${site.articles} articles, transactions of ${perTransaction}`;
        all.set(name, [...(all.get(name) ?? []), found]);
        figure(`sustained, transactions of ${perTransaction}`, site, found);
      }
    }
  }
  for (const [name, own] of all) {
    say(`sustained, ${name}: ${percentiles(own.map(({ rowsPerSecond }) => rowsPerSecond))} rows/s`);
  }
}

/** Whole processes with nothing to do: one that compares every row, and one that asks the log. */
async function measureBuilds(
  sites: readonly FollowedSite[],
  rounds: readonly number[],
  serverPid: number,
) {
  const asking = { CHANGE_FEED: "binlog" };
  const measure = async (step: string, site: FollowedSite, args: readonly string[]) => {
    const [load] = loadavg();
    const before = cpuSecondsOf(serverPid);
    const at = { ...site.at, env: { ...site.at.env, ...asking } };
    const cost = await measured(["build", ...args, ...SITE_ARGS], at);
    figure(step, site, {
      ...without(cost),
      serverCpuSeconds: cpuSecondsOf(serverPid) - before,
      load,
    });
  };
  // It reads what edits have left, and warms the database up.
  for (const site of sites) await measure("build before", site, ["--scan"]);
  for (const _ of rounds) {
    for (const site of sites) {
      await measure("build --scan", site, ["--scan"]);
      await measure("build by position", site, []);
    }
  }
}

async function measureScans(
  sites: readonly FollowedSite[],
  rounds: readonly number[],
  serverPid: number,
) {
  for (const _ of rounds) {
    for (const site of sites) {
      for (const scan of await scanTables(site, serverPid))
        figure("scan", site, { ...scan, load: loadavg()[0] });
    }
  }
}

function without<T extends { readonly lines: readonly unknown[] }>({ lines: _, ...rest }: T) {
  return rest;
}

function figure(step: string, { articles }: FollowedSite, found: object): void {
  figures.push({ step, articles, ...found });
  const shown = Object.entries(found).map(([name, value]) => {
    return `${name} ${typeof value === "number" ? Number(value.toFixed(2)) : JSON.stringify(value)}`;
  });
  say(`${step}, ${articles} articles: ${shown.join("; ")}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
