import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { mariaDbAt } from "../services/mariadb.ts";
import { describeWith } from "../services/requires.ts";
import { sharedMariaDb } from "../services/shared.ts";
import { feedOf, numbers } from "./following.ts";

const ROWS = 200_000;
/** The thread ends when it needs more, as it would if it kept them all. */
const MEGABYTES = 48;

describeWith("shared-mariadb", "A transaction of very many rows", () => {
  test("is told in bounded memory", async () => {
    const url = await (await sharedMariaDb()).createDatabase();
    const run = (sql: string) => mariaDbAt(url).query(sql);
    await run("CREATE TABLE posts (id INT PRIMARY KEY, tag VARCHAR(20) NOT NULL)");
    await using feed = feedOf(url, []);
    const start = await feed.position();
    await run(`INSERT INTO posts SELECT seq, 'x' FROM ${numbers(ROWS)}`);
    const worker = new Worker(new URL("large-transaction.ts", import.meta.url), {
      workerData: { url, start },
      resourceLimits: { maxOldGenerationSizeMb: MEGABYTES },
    });

    const [told] = await once(worker, "message");

    expect(told).toEqual([`posts/1..${ROWS} a transaction of very many rows`]);
    await worker.terminate();
  });
});
