import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createConnection } from "mysql2/promise";
import { expect, test } from "vitest";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { temporary } from "../cli/fakes.ts";
import { nightbake } from "../cli/nightbake.ts";
import { diceFrom } from "../race/dice.ts";
import { type MariaDb, startMariaDb } from "../services/mariadb.ts";
import { describeWith } from "../services/requires.ts";
import { DEMO, DEMO_ROWS, servedFiles } from "./command.ts";
import { type Around, killFollowers, startFollower } from "./followers.ts";
import { READY } from "./transactions.ts";
import { troubleServers } from "./troubles.ts";
import { watchVersions } from "./versions.ts";
import { finish, write } from "./writers.ts";

/** `npm run test:follow` asks for more. */
const ROUNDS = Number(process.env["ROUNDS"] ?? 1);
const ROUND_MS = 1_000 * Number(process.env["ROUND_SECONDS"] ?? 3);
const AFTER_MS = 1_500;
/** Characters of what a process said that did not publish. */
const LAST_WORDS = 3_000;
/** Until the last change is published, all servers being well. */
const PATIENCE_MS = 240_000;
/** What writers let the clock change is due by then; the demo site has an article of 2030. */
const SOON_MS = 60_000;
const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

describeWith("mariadb", "Following through everything", () => {
  const timeout = 60_000 + ROUNDS * (ROUND_MS + 300_000);
  test("publishes all that writers wrote while processes and servers died", {
    timeout,
  }, async () => {
    await using primary = await startMariaDb({ replicas: 1, durable: true });
    const { around, url } = await openSite(primary);

    for (let round = 0; round < ROUNDS; round += 1) {
      const seed = SEED + round;
      console.info(`seed ${seed}`);
      const told = await disturb(primary, { around, url, seed });
      console.info(`seed ${seed}: ${JSON.stringify(told)}`);
      const expected = await scratch(around);

      expect(told.backwards).toEqual([]);
      expect(told.code).toBe(0);
      const live = servedFiles(join(around.cwd, "dist"));
      const files = [...new Set([...live.keys(), ...expected.keys()])].sort();
      expect(files.filter((file) => live.get(file) !== expected.get(file))).toEqual([]);
    }
  });
});

/** The demo site in a database of the servers, with a ledger and a folder. */
async function openSite(primary: MariaDb): Promise<{ around: Around; url: string }> {
  const url = await primary.createDatabase("site");
  const [cwd, name] = [temporary(), new URL(url).pathname];
  await nightbake(["load", DEMO_ROWS, ...DEMO], { cwd, env: { DATABASE_URL: url } });
  await using connection = await createConnection({ uri: url, charset: "utf8mb4_bin" });
  for (const each of READY) await connection.query(each);
  await primary.caughtUp();
  const replicaUrl = `${primary.replicaUrls[0]}${name}`;
  const env = {
    DATABASE_URL: url,
    DATABASE_REPLICA_URLS: replicaUrl,
    DATABASE_REPLICA_WAIT: "0.5",
    NIGHTBAKE_DELETE_SHARE: "1",
  };
  const ledgerFile = join(cwd, ".nightbake", "ledger.db");
  await nightbake(["build", ...DEMO], { cwd, env });
  return { url, around: { cwd, env, ledgerFile, feedUrls: [url, replicaUrl] } };
}

/** One round of writers and troubles; then all is well, and one more process follows until nothing is left. */
async function disturb(
  primary: MariaDb,
  { around, url, seed }: { readonly around: Around; readonly url: string; readonly seed: number },
) {
  const [over, published] = [new AbortController(), new AbortController()];
  const seen = watchVersions(join(around.cwd, "dist"), published.signal);
  const { signal } = over;
  const writing = write(url, { seed, ms: ROUND_MS, signal });
  const killing = killFollowers(around, diceFrom(seed + 1), signal);
  const troubling = troubleServers(primary, diceFrom(seed + 2), signal);
  // What was written last is published while servers and processes still die.
  const round = Promise.all([writing, sleep(ROUND_MS + AFTER_MS)]);
  await Promise.race([round, killing, troubling]).finally(() => over.abort());
  const [transactions, processes, troubles] = await Promise.all([writing, killing, troubling]);
  const position = await finish(url);
  const { child, ended } = startFollower(around, diceFrom(seed + 3));
  const failure = await Promise.race([ended, untilPublished(around.ledgerFile, position)])
    .then(() => undefined)
    .catch(String);
  child.kill("SIGTERM");
  published.abort();
  const { code, out } = await ended;
  if (failure !== undefined) throw new Error(`${failure}\n${out.slice(-LAST_WORDS)}`);
  return { transactions, processes, ...troubles, ...(await seen), code };
}

/**
 * All up to a position is told, nothing that was told waits, and the clock changes nothing any more.
 * @throws Error that says what is missing, after four minutes
 */
async function untilPublished(file: string, position: string): Promise<void> {
  await using ledger = await openSqliteLedger(file);
  const number = (text = "") => Number(text.split("-").at(-1) ?? 0);
  let left: unknown;
  for (const endMs = Date.now() + PATIENCE_MS; Date.now() < endMs; await sleep(25)) {
    const upTo = await ledger.toldUpTo();
    const told = await ledger.told(5);
    const due = await ledger.dueRows(1000 * (Date.now() + SOON_MS), undefined, 5);
    if (number(upTo) >= number(position) && told.length === 0 && due.length === 0) return;
    left = { upTo, position, told, due };
  }
  throw new Error(`What was told is not published: ${JSON.stringify(left)}`);
}

/** What a build of the same rows and the same route history publishes. */
async function scratch({ cwd, env }: Around): Promise<ReadonlyMap<string, string>> {
  const [own, history] = [temporary(), join(cwd, "history.ndjson")];
  await nightbake(["redirects", "export", history, ...DEMO], { cwd, env });
  await nightbake(["redirects", "import", history, ...DEMO], { cwd: own, env });
  const { code, out } = await nightbake(["build", ...DEMO], { cwd: own, env });
  expect([code, out]).toEqual([0, expect.anything()]);
  return servedFiles(join(own, "dist"));
}
