import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { runCli } from "../../src/cli/cli.ts";
import { openJobs } from "../../src/jobs/jobs.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { fakeIo } from "./fakes.ts";
import { command, ROOT, started } from "./nightbake.ts";

const SITE = ["--config", join(ROOT, "site.config.ts")];

async function ask(cwd: string, ...argv: readonly string[]) {
  const io = { ...fakeIo(), ...(cwd && ioIn(cwd)) };
  const code = await runCli(argv, io);
  return { code, out: io.out.text(), err: io.err.text() };
}

function ioIn(cwd: string) {
  const io = fakeIo({ NIGHTBAKE_HOME: join(cwd, ".nightbake") });
  return { config: io.config };
}

test("jobs are listed, shown, cancelled and retried; what there is not is refused", async () => {
  const { cwd } = fakeIo();
  await using ledger = await openSqliteLedger(join(cwd, ".nightbake", "ledger.db"));
  const jobs = openJobs(ledger);
  expect((await ask(cwd, "queue")).out).toBe("There is no such job.\n");
  await jobs.submit({
    work: { is: "rebuild", targets: ["a:1", "b:2"] },
    lane: "editor",
    by: "ann",
  });
  await jobs.submit({ work: { is: "build" }, lane: "nightly" });

  const listed = await ask(cwd, "queue");
  expect(listed.out).toMatch(
    /2 +nightly +build +waiting.*\n.* 1 +editor +rebuild a:1 b:2 +waiting/,
  );
  expect((await ask(cwd, "queue", "list", "--lane", "nightly")).out).not.toContain("editor");
  expect(await ask(cwd, "queue", "cancel", "1")).toEqual({
    code: 0,
    out: "Job 1 is cancelled.\n",
    err: "",
  });
  expect((await ask(cwd, "queue", "list", "--state", "cancelled")).out).toContain("rebuild");
  expect((await ask(cwd, "queue", "retry", "1")).out).toBe("Job 1 is waiting.\n");

  const shown = await ask(cwd, "queue", "show", "1");
  expect(shown.out).toMatch(
    /1 .*queued.*"by":"ann"[\s\S]*2 .*cancelled[\s\S]*3 .*queued.*"by":"retry"/,
  );
  const [line = ""] = (await ask(cwd, "queue", "show", "1", "--json")).out.split("\n");
  expect(JSON.parse(line)).toMatchObject({ event: "job", id: "1", lane: "editor" });
  expect((await ask(cwd, "queue", "counts")).out).toMatch(/editor +waiting +1\n/);

  for (const argv of [
    ["show"],
    ["show", "9"],
    ["lit"],
    ["list", "--state", "dead"],
    ["list", "--limit", "x"],
  ]) {
    const refused = await ask(cwd, "queue", ...argv);
    expect([argv, refused.code, refused.err]).toEqual([
      argv,
      2,
      expect.stringContaining("config_invalid"),
    ]);
  }
  expect((await ask(cwd, "worker", "--concurrency", "0")).err).toContain("--concurrency 0");
  expect((await ask(cwd, "code")).out).toBe("No worker has told its code yet.\n");
  expect((await ask(cwd, "code", "remove")).code).toBe(2);
});

test("code that another machine has is made the current one by its fingerprint", async () => {
  const { cwd } = fakeIo();
  await using ledger = await openSqliteLedger(join(cwd, ".nightbake", "ledger.db"));
  await ledger.meetCode("old", { at: 1 });
  await ledger.meetCode("new", { at: 2 });

  expect(await ask(cwd, "code", "activate", "none")).toMatchObject({
    code: 2,
    err: expect.stringContaining("No worker has had the code none."),
  });
  expect((await ask(cwd, "code", "list", "old")).code).toBe(2);
  expect((await ask(cwd, "code")).out).toMatch(/new .*current\n/);
  expect((await ask(cwd, "code", "activate", "old")).out).toBe("The code old is current.\n");

  expect(await ledger.codes()).toMatchObject([
    { fingerprint: "old", isCurrent: true },
    { fingerprint: "new", isCurrent: false },
  ]);
});

test("a worker runs what waits, tells it, and ends with SIGTERM", async () => {
  const { cwd } = fakeIo();
  await using ledger = await openSqliteLedger(join(cwd, ".nightbake", "ledger.db"));
  const jobs = openJobs(ledger);
  const env = { NIGHTBAKE_HOME: join(cwd, ".nightbake"), OUT_DIR: join(cwd, "dist") };
  const tables = ["articles", "users", "friendships", "activities"];
  await mkdir(join(cwd, "rows"));
  for (const table of tables) await writeFile(join(cwd, "rows", `${table}.ndjson`), "");
  await command(["load", "rows", ...SITE], { env, cwd });
  const { job } = await jobs.submit({ work: { is: "rebuild", targets: [] }, lane: "live" });
  const worker = started(["worker", ...SITE], { env, cwd });
  while ((await jobs.job(job.id))?.finishedAt === undefined) await sleep(50);

  worker.child.kill("SIGTERM");
  const { code, err } = await worker.ended;

  expect(code).toBe(0);
  expect(err).toMatch(
    /Job 1 \(rebuild, live\) started, attempt 1.\nJob 1 \(rebuild, live\) is done: /,
  );
  expect(await ledger.codes()).toMatchObject([{ isCurrent: true }]);
  expect((await ask(cwd, "code")).out).toMatch(/[0-9a-f]{32} .*current\n/);
}, 60_000);
