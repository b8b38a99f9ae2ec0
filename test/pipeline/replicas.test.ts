import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import type { Wired } from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import { type Artifact, listsOf, type Row, tablesOf } from "../../src/site.ts";
import { openMysqlSource } from "../../src/source/mysql-source.ts";
import { openMysqlTarget } from "../../src/source/mysql-target.ts";
import type { ReaderSetOptions } from "../../src/source/readers.ts";
import { BRAND } from "../services/brand.ts";
import type { MariaDbServer } from "../services/mariadb.ts";
import { type Random, randomFrom } from "../services/random.ts";
import { delay, promote, startTopology, type Topology } from "../services/replicas.ts";
import { describeWith } from "../services/requires.ts";
import { beyond } from "../source/following.ts";
import { START } from "./rows.ts";
import { bake, openSmall, SITE, served, shown, smallSite } from "./small-site.ts";

/** `npm run test:fence` asks for many more. */
const ROUNDS = Number(process.env["ROUNDS"] ?? 40);
const LAG_MS = Number(process.env["LAG_MS"] ?? 300);
const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const POSTS = 12;

describeWith("mariadb", "A site on a primary with two replicas", () => {
  const stack = new AsyncDisposableStack();
  let topology: Topology;
  beforeAll(async () => {
    topology = stack.use(await startTopology());
    await fill(`${topology.url}/site`);
  });
  afterAll(() => stack.disposeAsync());
  beforeEach(() => topology.caughtUp());

  const nameOf = ({ url }: { readonly url: string }) => new URL(url).host;

  /** A pipeline of its own, on an empty store. */
  async function open(
    objects: Map<string, Artifact>,
    options: Partial<ReaderSetOptions> & { readonly store?: ObjectStore } = {},
  ): Promise<Wired> {
    const own = new AsyncDisposableStack();
    onTestFinished(() => own.disposeAsync());
    const { store = memoryStore(objects), ...limits } = options;
    const small = own.use(await smallSite());
    const wired = own.use(await openSmall(small, { ledger: "ledger.db", store }));
    const [url, ...replicaUrls] = topology.urls;
    const times = { waitSeconds: 5, connectMs: 1000, queryMs: 2000, restMs: 50, ...limits };
    const source = own.use(await openMysqlSource({ url, replicaUrls, ...times }));
    return { ...wired, source };
  }

  /** What a build of its own from the same rows publishes. */
  async function expected() {
    const objects = new Map<string, Artifact>();
    await bake(await open(objects), { now: () => START });
    return shown(served(objects));
  }

  /** A store that does something before its fifth object is put. */
  function interruptedStore(
    objects: Map<string, Artifact>,
    interrupt: () => Promise<void>,
  ): ObjectStore {
    const store = memoryStore(objects);
    let puts = 0;
    return {
      ...store,
      async put(...args) {
        puts += 1;
        if (puts === 5) await interrupt();
        return await store.put(...args);
      },
    };
  }

  test("a build reads a replica alone, and says which and where", async () => {
    const summary = await bake(await open(new Map()), { now: () => START });

    expect(topology.replicas.map(nameOf)).toContain(summary.read?.server);
    expect(summary.read).toMatchObject({ isPrimary: false, replicaShare: 1 });
    expect(summary.read?.position).toMatch(new RegExp(`^${BRAND.flavour}:`));
    expect(summary.read?.rows).toBeGreaterThan(POSTS);
  });

  test("a replica that dies in the middle of a build is left, and the build ends exact", async () => {
    const objects = new Map<string, Artifact>();
    let read: MariaDbServer | undefined;
    const store = interruptedStore(objects, async () => {
      const busy = await Promise.all(topology.replicas.map(countSnapshots));
      read = topology.replicas[busy[0] ? 0 : 1];
      await read.kill();
    });
    const wired = await open(objects, { store });

    const summary = await bake(wired, { now: () => START });
    await read?.start();

    expect(summary.events).toContainEqual({
      event: "note",
      message: expect.stringContaining(
        "The run starts again with other rows: The database does not answer",
      ),
    });
    expect(summary.read).toMatchObject({ isPrimary: false });
    expect(summary.read?.server).not.toBe(read && nameOf(read));
    expect(shown(served(objects))).toEqual(await expected());
  });

  test("a build does not notice that the primary dies once it reads", async () => {
    const objects = new Map<string, Artifact>();
    const store = interruptedStore(objects, () => topology.kill());
    const summary = await bake(await open(objects, { store }), { now: () => START });
    await topology.start();

    expect(summary.events.filter(({ event }) => event === "note")).toEqual([]);
    expect(shown(served(objects))).toEqual(await expected());
  });

  test("a rebuild shows the change that was committed before it, whatever the replicas' lag", async () => {
    const random = randomFrom(SEED);
    const objects = new Map<string, Artifact>();
    const wired = await open(objects, { waitSeconds: Math.max(0.15, LAG_MS / 10_000) });
    await bake(wired, { now: () => START });
    const over = new AbortController();
    const lagging = topology.replicas.map((each) => lag(each, random, over.signal));

    const wrong: string[] = [];
    const from = { primary: 0, replica: 0 };
    for (let round = 1; round <= ROUNDS; round += 1) {
      const id = 1 + Math.floor(random() * POSTS);
      await topology.query(`UPDATE site.posts SET title = 'round ${round}' WHERE id = ${id}`);
      const { read } = await bake(wired, { targets: [`post:${id}`], now: () => START });
      from[read?.isPrimary ? "primary" : "replica"] += 1;
      const body = Buffer.from(objects.get(`posts/p${id}/index.html`)?.body ?? []).toString();
      if (!body.includes(`round ${round}<`)) wrong.push(`round ${round}`);
      await sleep(random() * 20);
    }
    over.abort();
    await Promise.all(lagging);

    console.info(`seed ${SEED}: ${ROUNDS} rebuilds, read from ${JSON.stringify(from)}`);
    expect(wrong).toEqual([]);
    expect(from.replica).toBeGreaterThan(0);
  }, 1_800_000);

  test("a position that the primary never had stops a rebuild before anything is read", async () => {
    const wired = await open(new Map());
    const at = [beyond((await wired.source.position?.()) ?? "")];

    await expect(bake(wired, { targets: ["post:1"], at, now: () => START })).rejects.toMatchObject({
      code: "position_unknown",
      at: { position: at[0] },
    });
  });

  test("a promotion between two builds is followed without a change of settings", async () => {
    const objects = new Map<string, Artifact>();
    const wired = await open(objects);
    await bake(wired, { now: () => START });
    const [first, second] = topology.replicas;
    await topology.kill();
    await promote(first, [second]);
    await first.query("UPDATE site.posts SET title = 'promoted' WHERE id = 1");

    const { read } = await bake(wired, { targets: ["post:1"], now: () => START });

    expect(read).toMatchObject({ server: nameOf(second), isPrimary: false });
    expect(Buffer.from(objects.get("posts/p1/index.html")?.body ?? []).toString()).toContain(
      "promoted<",
    );
  });
});

/** Connections of ours to a replica that read. */
async function countSnapshots(replica: MariaDbServer): Promise<number> {
  const rows = await replica.query(
    "SELECT t.trx_id FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id WHERE p.user = 'reader'",
  );
  return rows.length;
}

/** Stops and lets go, so that the replica is up to `LAG_MS` behind. */
async function lag(replica: MariaDbServer, random: Random, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await replica.query(`STOP ${BRAND.replica} SQL_THREAD`);
    await sleep(random() * LAG_MS);
    await replica.query(`START ${BRAND.replica} SQL_THREAD`);
    await sleep((random() * LAG_MS) / 3);
  }
  await delay(replica, 0);
}

async function fill(url: string): Promise<void> {
  await using target = await openMysqlTarget(url);
  await using transaction = await target.begin(tablesOf(SITE.kinds), listsOf(SITE.kinds));
  const posts: Row[] = Array.from({ length: POSTS }, (_, at) => ({
    id: at + 1,
    slug: `p${at + 1}`,
    title: `Post ${at + 1}`,
    body: "*em*",
    author: at % 2 === 0 ? "ann" : "bob",
    topic: "x",
    status: "published",
    published_at: START - at,
    expires_at: null,
    extra: null,
  }));
  const rows: Readonly<Record<string, readonly Row[]>> = {
    posts,
    people: [{ handle: "ann", name: "Ann" }],
    topics: posts.map(({ topic, id, title, status, published_at, expires_at }) => ({
      topic,
      post_id: id,
      title,
      status,
      published_at,
      expires_at,
    })),
  };
  for (const table of tablesOf(SITE.kinds)) {
    const inserts = rows[table.name] ?? [];
    await transaction.write(table, { inserts, updates: [], deletes: [] });
  }
  await transaction.commit();
}
