// A worker of a small site as a process of its own: FOLDER REDIS_URL PAUSE_MS before each put.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bullmqQueue } from "../../src/jobs/bullmq-queue.ts";
import { work } from "../../src/jobs/worker.ts";
import { folderStore } from "../../src/publish/folder-store.ts";
import { openSmall } from "../pipeline/small-site.ts";

const [dir = "", url = "", pause = "0"] = process.argv.slice(2);
const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());

const folder = folderStore(join(dir, "out"));
const store: typeof folder = {
  ...folder,
  async put(...of) {
    await sleep(Number(pause));
    return await folder.put(...of);
  },
};
const site = { dir, source: join(dir, "source.db"), async [Symbol.asyncDispose]() {} };
await using wired = await openSmall(site, { ledger: "ledger.db", store });
await using queue = bullmqQueue({ url, name: wired.ledger.id });
const told = (event: object) => console.log(JSON.stringify(event));
await work({ wired, queue }, { concurrency: 1, graceMs: 100, signal: stop.signal, emit: told });
process.exit(0);
