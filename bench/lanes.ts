import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Job, JobEvent, Jobs } from "../src/jobs/job.ts";
import { openJobs } from "../src/jobs/jobs.ts";
import { openSqliteLedger } from "../src/ledger/sqlite.ts";
import { openSqliteTarget } from "../src/source/sqlite-target.ts";
import { temporaryFolder } from "../test/services/daemon.ts";
import { bulkLoad } from "./bulk-load.ts";
import { copySite, sqliteEditor } from "./copied-site.ts";
import { synthetic } from "./data-sets.ts";
import { alternately } from "./lanes-alternately.ts";
import { measured } from "./measured.ts";
import { editTitle } from "./scale-edits.ts";
import { percentiles, quantile } from "./spread.ts";

const HELP = `Measures how long editors wait while a nightly build renders every page, and what the build loses by them.

  node bench/lanes.ts [--articles 20000] [--requests 50] [--rounds 3] [--dir DIR]
  node bench/lanes.ts --alternate 60 --gap 3000 [--articles 1000000] [--rounds 1] [--dir DIR]

One worker in a process of its own, embedded source, ledger and folder. Each round changes the base template twice: once
for a build that is left alone, once for one that requests for one article each come to, at random moments.
With --alternate one build is enough, for a site so large that others' work changes more from build to build: for so many
seconds it is left alone, for as many requests come, --gap milliseconds apart in the middle, and so on until it is done.
`;
const MAIN = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

const { values } = parseArgs({
  options: {
    articles: { type: "string", default: "20000" },
    requests: { type: "string", default: "50" },
    rounds: { type: "string", default: "3" },
    alternate: { type: "string" },
    gap: { type: "string", default: "3000" },
    dir: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else await main();

async function main(): Promise<void> {
  const dir = values.dir === undefined ? temporaryFolder("lanes") : join(values.dir, "lanes");
  await using open = new AsyncDisposableStack();
  open.defer(() => rmSync(dir, { recursive: true, force: true }));
  const config = copySite(dir);
  const home = join(dir, "home");
  const env = { NIGHTBAKE_HOME: home, OUT_DIR: join(dir, "out") };
  const source = join(home, "source.db");
  {
    await using target = await openSqliteTarget(source);
    await bulkLoad(config, target, synthetic(Number(values.articles)));
  }
  await measured(["build", "--json", "--config", config], { env, cwd: dir });
  const editor = sqliteEditor(source);
  await using ledger = await openSqliteLedger(join(home, "ledger.db"));
  const jobs = openJobs(ledger, { pollMs: 50 });
  const layout = join(dirname(config), "templates", "layouts", "base.eta");
  say(`${cpus().length} x ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}`);
  const waits: number[] = [];
  const base = (name: string) => {
    const text = readFileSync(layout, "utf8");
    writeFileSync(layout, text.replace(/<body[^>]*>/, `<body class="${name}">`));
  };
  if (values.alternate !== undefined) {
    for (let round = 0; round < Number(values.rounds); round += 1) {
      base(`a${round}`);
      await using _ = await startWorker(config, { env, cwd: dir });
      const { job } = await jobs.submit({ work: { is: "build" }, lane: "nightly" });
      await until(jobs, job.id, ({ state }) => state !== "waiting");
      const ask = async (at: number) => await askOne(jobs, { at, editor });
      const turns = { nightly: job.id, ask, seconds: Number(values.alternate) };
      const asked = await alternately(jobs, { ...turns, gapMs: Number(values.gap), say });
      const own = await Promise.all(asked.map((each) => publishedAfter(jobs, each)));
      say(
        `${own.length} requests, ms from queued to published ${percentiles(own)}, p95 ${quantile(own, 0.95).toFixed(0)}`,
      );
    }
    return;
  }
  let aloneSeconds = 4;
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const requests of [0, Number(values.requests)]) {
      base(`n${round}-${requests}`);
      await using _ = await startWorker(config, { env, cwd: dir });
      const { job } = await jobs.submit({ work: { is: "build" }, lane: "nightly" });
      await until(jobs, job.id, ({ state }) => state !== "waiting");
      const asked = await askAtRandom(jobs, { requests, withinMs: aloneSeconds * 800, editor });
      const nightly = await until(jobs, job.id, ({ finishedAt }) => finishedAt !== undefined);
      const seconds = ((nightly.finishedAt ?? 0) - (nightly.startedAt ?? 0)) / 1_000_000;
      if (requests === 0) aloneSeconds = seconds;
      const own = await Promise.all(asked.map((each) => publishedAfter(jobs, each)));
      waits.push(...own);
      say(
        `nightly ${seconds.toFixed(1)} s, changed ${nightly.outcome?.changed}; ${
          requests === 0
            ? "left alone"
            : `${requests} requests, ms from queued to published ${percentiles(own)}`
        }`,
      );
    }
  }
  const p95 = quantile(waits, 0.95).toFixed(0);
  say(`all requests, ms from queued to published: ${percentiles(waits)}, p95 ${p95}`);
}

async function askAtRandom(
  jobs: Jobs,
  {
    requests,
    withinMs,
    editor,
  }: {
    readonly requests: number;
    readonly withinMs: number;
    readonly editor: ReturnType<typeof sqliteEditor>;
  },
): Promise<readonly Job[]> {
  const moments = Array.from({ length: requests }, () => Math.random() * withinMs).sort(
    (a, b) => a - b,
  );
  const asked: Job[] = [];
  const begun = performance.now();
  for (const [at, moment] of moments.entries()) {
    await sleep(Math.max(0, begun + moment - performance.now()));
    asked.push(await askOne(jobs, { at, editor }));
  }
  return asked;
}

async function askOne(
  jobs: Jobs,
  { at, editor }: { readonly at: number; readonly editor: ReturnType<typeof sqliteEditor> },
): Promise<Job> {
  const id = 1 + Math.floor(Math.random() * Number(values.articles));
  await editTitle(editor, id, `In a hurry, ${at}`);
  const work = { is: "rebuild", targets: [`article:${id}`] } as const;
  return (await jobs.submit({ work, lane: "editor" })).job;
}

/** Milliseconds from the first request to the last page in the store. */
async function publishedAfter(jobs: Jobs, { id }: Job): Promise<number> {
  const { signal } = new AbortController();
  const events: readonly JobEvent[] = await Array.fromAsync(jobs.events(id, 0, signal));
  const at = (name: JobEvent["event"]) => events.find(({ event }) => event === name)?.at;
  const published = at("published") ?? at("done") ?? Number.NaN;
  return (published - (at("queued") ?? Number.NaN)) / 1000;
}

async function until(jobs: Jobs, id: string, holds: (job: Job) => boolean): Promise<Job> {
  for (;;) {
    const job = await jobs.job(id);
    if (job !== undefined && holds(job)) return job;
    await sleep(50);
  }
}

async function startWorker(
  config: string,
  { env, cwd }: Parameters<typeof measured>[1],
): Promise<AsyncDisposable> {
  const args = [MAIN, "worker", "--json", "--config", config];
  const child = spawn(process.execPath, args, {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
