import { readFileSync, watch } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { randomFrom } from "../test/services/random.ts";
import type { FollowedSite } from "./followed-site.ts";
import { startFollower } from "./follower.ts";
import { cpuSecondsOf } from "./process-cpu.ts";

/** Edits that only warm the process up. */
const WARM_UP = 10;
/** Between two edits, when nothing is left to do. */
const REST_MS = [40, 160] as const;
const CONNECTIONS = 4;

/** Of one process that followed; times in ms. */
export interface LatencyRound {
  /** From the commit's answer until the article's object is in the folder. */
  readonly objectMs: readonly number[];
  /** Until the release with its lists and neighbours is over. */
  readonly releaseMs: readonly number[];
  readonly load: number;
}

/** Edits articles one after the other while a process follows, each when the one before is published. */
export async function latency(
  site: FollowedSite,
  edits: number,
  seed: number,
): Promise<LatencyRound> {
  await using connection = await connect(site);
  await using follower = await startFollower(site, () => positionOf(connection));
  const random = randomFrom(seed);
  const [objectMs, releaseMs]: [number[], number[]] = [[], []];
  for (let n = 0; n < WARM_UP + edits; n += 1) {
    const id = 1 + Math.floor(random() * site.articles);
    const title = `Edit ${seed}-${n} of ${id}`;
    const folder = join(site.at.env.OUT_DIR, "articles", `article-${id}`);
    const shown = untilShown(folder, title);
    const released = follower.nextRelease();
    await connection.beginTransaction();
    await connection.query("UPDATE articles SET title = ? WHERE id = ?", [title, id]);
    await connection.query("UPDATE article_tags SET title = ? WHERE article_id = ?", [title, id]);
    await connection.commit();
    const committedMs = performance.now();
    const isCounted = n >= WARM_UP;
    const object = (await shown) - committedMs;
    await released;
    if (isCounted) {
      objectMs.push(object);
      releaseMs.push(performance.now() - committedMs);
    }
    const [least, most] = REST_MS;
    await sleep(least + random() * (most - least));
  }
  return { objectMs, releaseMs, load: loadavg()[0] ?? 0 };
}

/** When the folder's page shows a text. */
function untilShown(folder: string, text: string): Promise<number> {
  return new Promise((resolve) => {
    const watcher = watch(folder, () => {
      const page = readFileSync(join(folder, "index.html"), "utf8");
      if (!page.includes(text)) return;
      resolve(performance.now());
      watcher.close();
    });
  });
}

/** What one process published while it was written as quickly as can be. */
export interface SustainedRound {
  readonly rowsPerSecond: number;
  /** Of all rows, from the first commit until the last is published. */
  readonly seconds: number;
  readonly followerCpuSeconds: number;
  readonly load: number;
}

/** Changes so many rows, one of each article, in transactions of so many, on several connections. */
export async function sustained(
  site: FollowedSite,
  { rows, perTransaction, seed }: { rows: number; perTransaction: number; seed: number },
): Promise<SustainedRound> {
  await using asking = await connect(site);
  await using follower = await startFollower(site, () => positionOf(asking));
  const random = randomFrom(seed);
  const first = Math.floor(random() * site.articles);
  // Spread over the site: 7,919 is prime and divides none of the sizes.
  const ids = Array.from({ length: rows }, (_, n) => 1 + ((first + n * 7_919) % site.articles));
  const cpu = cpuSecondsOf(follower.pid);
  const beganMs = performance.now();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      await using connection = await connect(site);
      for (let own = ids.splice(0, perTransaction); own.length > 0; ) {
        await editTogether(connection, own, `Sustained ${seed} of ${perTransaction}`);
        own = ids.splice(0, perTransaction);
      }
    }),
  );
  await follower.caughtUp();
  const seconds = (performance.now() - beganMs) / 1000;
  const followerCpuSeconds = cpuSecondsOf(follower.pid) - cpu;
  return { rowsPerSecond: rows / seconds, seconds, followerCpuSeconds, load: loadavg()[0] ?? 0 };
}

async function editTogether(connection: Connection, ids: readonly number[], title: string) {
  await connection.beginTransaction();
  for (const id of ids) {
    await connection.query("UPDATE articles SET title = ? WHERE id = ?", [`${title} ${id}`, id]);
  }
  await connection.commit();
}

async function connect({ url }: FollowedSite): Promise<Connection> {
  return await createConnection({ uri: url, charset: "utf8mb4_bin" });
}

async function positionOf(connection: Connection): Promise<string> {
  const [rows] = await connection.query<RowDataPacket[]>("SELECT @@gtid_binlog_pos AS position");
  return String(rows[0]?.["position"]);
}
