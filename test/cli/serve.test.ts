import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { jobEvents } from "../../src/control/remote.ts";
import { openJobs } from "../../src/jobs/jobs.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { balancer } from "../control/balancer.ts";
import { tell, tellDone } from "../control/tell.ts";
import { describeWith } from "../services/requires.ts";
import { sharedMariaDb } from "../services/shared.ts";
import { temporary } from "./fakes.ts";
import { command, nightbake, ROOT, started } from "./nightbake.ts";

// Servers are processes: the clone's own site with a few rows, its state and output in a new folder.

const SITE = ["--config", join(ROOT, "site.config.ts")];
const DATA = join(ROOT, "content", "data");
const ARTICLES = 3;
const SECRET = "dsn-secret";

let cwd: string;

beforeAll(async () => {
  cwd = temporary();
  mkdirSync(join(cwd, "data"));
  for (const name of ["articles", "users", "activities", "friendships"]) {
    const lines = readFileSync(join(DATA, `${name}.ndjson`), "utf8").split("\n");
    const some = name === "users" ? lines : lines.slice(0, ARTICLES);
    writeFileSync(join(cwd, "data", `${name}.ndjson`), `${some.join("\n")}\n`);
  }
  expect((await run(["load", join(cwd, "data"), ...SITE])).code).toBe(0);
});

const run = (argv: readonly string[], env: Record<string, string> = {}) =>
  command(argv, { env, cwd });

/** `nightbake serve`, when it listens. */
async function serving(env: Record<string, string> = {}) {
  const { child, ended } = started(["serve", "--port", "0", ...SITE], { cwd, env });
  // Also when the test runs out of time while it starts.
  onTestFinished(() => void child.kill("SIGKILL"));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on("data", (chunk) => resolve(String(chunk).trim()));
    ended.then(({ err }) => reject(new Error(err)), reject);
  });
  const stop = async () => {
    child.kill("SIGTERM");
    return await ended;
  };
  return { url, child, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

async function newToken(scopes: string, env: Record<string, string> = {}): Promise<string> {
  const argv = ["tokens", "add", scopes.replaceAll(",", "-"), "--scopes", scopes, ...SITE];
  return (await run(argv, env)).out.trim();
}

/** An editor's commit. */
function edit(id: number, title: string): void {
  using db = new DatabaseSync(join(cwd, ".nightbake", "source.db"));
  db.prepare("UPDATE articles SET title = ? WHERE id = ?").run(title, id);
}

function slugOf(id: number): string {
  using db = new DatabaseSync(join(cwd, ".nightbake", "source.db"));
  return String(db.prepare("SELECT slug FROM articles WHERE id = ?").get(id)?.["slug"]);
}

test("a rebuild that a server was asked for is live when the command ends", async () => {
  expect((await run(["build", ...SITE])).code).toBe(0);
  const token = await newToken("read,rebuild");
  await using server = await serving();
  const env = { NIGHTBAKE_TOKEN: token };
  const remote = (argv: readonly string[], more: Record<string, string> = {}) =>
    run(["rebuild", ...argv, "--remote", server.url], { ...env, ...more });
  edit(1, "Edited & seen");
  const page = `/articles/${slugOf(1)}/`;

  const { code, out, err } = await nightbake(["rebuild", "article:1", "--remote", server.url], {
    env,
  });

  expect(readFileSync(join(cwd, "dist", page, "index.html"), "utf8")).toContain(
    "Edited &amp; seen",
  );
  expect({ code, err }).toMatchObject({
    code: 0,
    err: expect.stringContaining("Job 1 was asked for"),
  });
  expect(out).toMatch(/Release 2: \d+ pages? put/);
  expect(out).toMatch(/pages? live [\d.]+ s after the request/);
  expect(out).toContain(page);
  const again = await remote(["article:1", page, "--json"]);
  const lines = again.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({ event: "live", changed: 0, failed: 0, releases: [] });

  const refused = await Promise.all([
    remote(["articel:1"]),
    remote(["article:1", "--dry-run"]),
    remote(["article:1", "--lane", "takedown"]),
    remote(["article:1"], { NIGHTBAKE_TOKEN: `nbt_${"x".repeat(43)}` }),
    remote(["article:1"], { NIGHTBAKE_TOKEN: "" }),
  ]);
  expect(refused.map((each) => [each.code, each.err.split(":")[0]])).toEqual([
    [2, "input_invalid"],
    [2, "config_invalid"],
    [2, "scope_missing"],
    [2, "credential_rejected"],
    [2, "config_invalid"],
  ]);
  const ended = await server.stop();
  expect(ended.code).toBe(0);
  expect(ended.err).toMatch(/^202 POST \/v1\/rebuilds .* read-rebuild /m);
  expect(ended.err + ended.out).not.toContain(token.slice(4));
});

test("whoever follows a job at a server that is killed goes on at another, and gets each event once", async () => {
  await using one = await serving();
  await using two = await serving();
  await using front = await balancer(one.url);
  await using ledger = await openSqliteLedger(join(cwd, ".nightbake", "ledger.db"));
  const work = { is: "rebuild", targets: ["article:1"] } as const;
  // Far enough in the future that no server runs it.
  const { job } = await openJobs(ledger).submit({ work, lane: "editor", debounceMs: 3_600_000 });
  const { signal } = new AbortController();
  const remote = { url: front.url, token: await newToken("read"), signal };
  const seen: string[] = [];
  const following = (async () => {
    for await (const { id } of jobEvents(remote, job.id)) seen.push(id);
  })();
  await tell(ledger, job.id, "note");
  await expect.poll(() => seen).toEqual(["1", "2"]);

  front.lead(two.url);
  one.child.kill("SIGKILL");
  await tell(ledger, job.id, "note");
  await tellDone(ledger, job.id);
  await following;

  expect(seen).toEqual(["1", "2", "3", "4"]);
});

describeWith("shared-mariadb", "a ledger on a server", () => {
  test("is named in no log and no answer with its password, whatever fails", async () => {
    const maria = await sharedMariaDb();
    const url = new URL(await maria.createDatabase());
    const name = url.pathname.slice(1);
    await maria.query(`CREATE USER ${name} IDENTIFIED BY '${SECRET}'`);
    await maria.query(`GRANT ALL ON ${name}.* TO ${name}`);
    Object.assign(url, { username: name, password: SECRET });
    const env = { LEDGER_URL: url.href };
    const token = await newToken("read,rebuild,metrics", env);
    await using server = await serving(env);
    const answers: string[] = [];
    const ask = async (path: string, init: RequestInit = {}) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const response = await fetch(server.url + path, { headers, ...init });
      answers.push(await response.text());
      return response.status;
    };
    const body = JSON.stringify({ rows: ["article:1"] });

    expect(await ask("/v1/rebuilds", { method: "POST", body })).toBe(202);
    expect(await ask("/v1/jobs/1/events")).toBe(200);
    expect(await ask("/metrics")).toBe(200);
    await maria.query(`DROP DATABASE ${name}`);
    const paths = [
      `/v1/jobs?${SECRET}`,
      "/v1/jobs/1",
      "/v1/jobs/1/events",
      "/metrics",
      "/health/ready",
    ];
    for (const path of paths) expect(await ask(path)).toBeGreaterThanOrEqual(500);
    expect(await ask("/health/live")).toBe(200);

    const { out, err } = await server.stop();
    expect(err).toContain("ledger_");
    for (const text of [out, err, ...answers]) {
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain(token.slice(4));
    }
  });
});
