/**
 * Three processes publish the corpus COPIES times over MariaDB and an S3 server; one is killed and one is stopped
 * on the way, then the one that leads them is killed, too, and another leads. Then one process alone publishes the same to another bucket, and both must be equal.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bulkLoad } from "../../bench/bulk-load.ts";
import { corpusTimes } from "../../bench/data-sets.ts";
import { openMysqlTarget } from "../../src/source/mysql-target.ts";
import { startMariaDb } from "../services/mariadb.ts";
import { type MemoryS3, startMemoryS3 } from "../services/memory-s3.ts";
import { randomFrom } from "../services/random.ts";
import { startMember } from "./process.ts";

const COPIES = Number(process.env["COPIES"] ?? 5);
const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1e6));
const random = randomFrom(SEED);

const began = performance.now();
const say = (text: string) =>
  console.log(`${((performance.now() - began) / 1000).toFixed(1)} s: ${text}`);

await using open = new AsyncDisposableStack();
const dir = mkdtempSync(join(tmpdir(), "crew-"));
open.defer(() => rmSync(dir, { recursive: true, force: true }));
const database = open.use(
  await startMariaDb({ args: ["--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0"] }),
);
const [together, alone] = [open.use(await startMemoryS3()), open.use(await startMemoryS3())];
const source = await database.createDatabase("source");
const config = fileURLToPath(new URL("../../site.config.ts", import.meta.url));
{
  await using target = await openMysqlTarget(source);
  await bulkLoad(config, target, corpusTimes(COPIES));
}
say(`seed ${SEED}; the corpus is loaded ${COPIES} times`);

await publishTogether();
await publishAlone();
const wrong = differences(together, alone);
say(`${alone.objects.size} objects, ${wrong.length} differ ${wrong.slice(0, 5).join(" ")}`);
process.exitCode = wrong.length === 0 ? 0 : 1;

/** A builder and two helpers: after some shards one of those is killed, later the other stopped, then the builder killed. */
async function publishTogether(): Promise<void> {
  const env = { ...(await envOf(together, "together")), TELLS_SHARDS: "1" };
  await using members = new AsyncDisposableStack();
  const helpers = [1, 2].map(() => members.use(startMember("help", env)));
  await Promise.all(helpers.map((each) => each.heard("ready")));
  const builder = members.use(startMember("build", env));
  const [killed, stopped] = random() < 0.5 ? helpers : helpers.toReversed();
  await killed?.heard("shard", 2 + Math.floor(random() * 5 * COPIES));
  killed?.child.kill("SIGKILL");
  say("one helper was killed");
  await stopped?.heard("shard", 4 + Math.floor(random() * 15 * COPIES));
  const askedAt = performance.now();
  stopped?.child.kill("SIGTERM");
  await stopped?.ended;
  say(`the other was stopped, which took ${Math.round(performance.now() - askedAt)} ms`);
  const again = members.use(startMember("help", env));
  await builder.heard("shard", 6 + Math.floor(random() * 15 * COPIES));
  builder.child.kill("SIGKILL");
  say("the builder was killed");
  const successor = members.use(startMember("build", env));
  await successor.ended;
  const done = successor.told.find(({ event }) => event === "done");
  const shards = [builder, successor, ...helpers, again].map(
    ({ told }) => told.filter(({ event }) => event === "shard").length,
  );
  say(
    `${JSON.stringify(done)}; shards by both builders, helpers and a late one: ${shards.join(", ")}`,
  );
  if (done === undefined)
    throw new Error(`The build failed: ${JSON.stringify(successor.told.at(-2))}`);
}

async function publishAlone(): Promise<void> {
  const env = { ...(await envOf(alone, "alone")), SHARD_PAGES: "1000000" };
  await using builder = startMember("build", env);
  await builder.ended;
  say(`alone: ${JSON.stringify(builder.told.find(({ event }) => event === "done"))}`);
}

async function envOf(s3: MemoryS3, name: string): Promise<Readonly<Record<string, string>>> {
  return {
    NIGHTBAKE_HOME: join(dir, name),
    NIGHTBAKE_BODIES_MB: "0",
    RUN_LEASE_MS: "10000",
    DATABASE_URL: source,
    LEDGER_URL: await database.createDatabase(`ledger_${name}`),
    S3_BUCKET: s3.bucket,
    S3_ENDPOINT: s3.endpoint,
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
  };
}

/** Keys of objects that are not the same in both, beside the marker and who wrote them. */
function differences(a: MemoryS3, b: MemoryS3): readonly string[] {
  const keys = new Set([...a.objects.keys(), ...b.objects.keys()]);
  const text = (s3: MemoryS3, key: string) => {
    const object = s3.objects.get(key);
    if (object === undefined) return "absent";
    const { body, ...rest } = object;
    const shown = JSON.stringify(rest, (name, value) =>
      name === "x-amz-meta-nightbake-write" || name === "last-modified" ? undefined : value,
    );
    return `${shown} ${Buffer.from(body).toString("latin1")}`;
  };
  return [...keys].filter((key) => !key.startsWith(".") && text(a, key) !== text(b, key)).sort();
}
