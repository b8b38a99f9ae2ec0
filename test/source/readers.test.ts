import { once } from "node:events";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { int, table } from "../../src/site.ts";
import { openMysqlSource } from "../../src/source/mysql-source.ts";
import type { ReaderSetOptions } from "../../src/source/readers.ts";
import type { Fence, RowsOrigin, Source } from "../../src/source/source.ts";
import { BRAND } from "../services/brand.ts";
import type { MariaDbServer } from "../services/mariadb.ts";
import {
  delay,
  promote,
  startTopology,
  stopApplying,
  stopFetching,
  type Topology,
} from "../services/replicas.ts";
import { describeWith } from "../services/requires.ts";
import { beyond, FOREIGN } from "./following.ts";
import { NOW } from "./samples.ts";

/** Of the other flavour. */
const OTHER =
  BRAND.flavour === "mysql" ? "mariadb:0-1-1" : "mysql:3e11fa47-71ca-11e1-9e33-c80aa9429562:1";
/** What the second server wrote, and on MySQL the first before. */
const PROMOTED = BRAND.flavour === "mysql" ? /^mysql:.*,/ : /^mariadb:0-2-/;

const t = table("t", { key: "id", columns: { id: int() } });

describeWith("mariadb", "A primary with two replicas", () => {
  let topology: Topology;
  let stack: AsyncDisposableStack;
  let last = 0;
  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    topology = stack.use(await startTopology());
    await topology.query("CREATE TABLE site.t (id BIGINT NOT NULL PRIMARY KEY)");
  });
  afterAll(() => stack.disposeAsync());
  beforeEach(() => topology.caughtUp());

  /** Short limits, so that a frozen server costs a test little. */
  async function open(options: Partial<ReaderSetOptions> = {}): Promise<Source> {
    const [url, ...replicaUrls] = topology.urls;
    const limits = { waitSeconds: 0.5, connectMs: 500, queryMs: 1000, restMs: 50 };
    const source = await openMysqlSource({ url, replicaUrls, ...limits, ...options });
    onTestFinished(() => source[Symbol.asyncDispose]());
    return source;
  }

  /** Writes one more row on a server. */
  async function write(server: Pick<MariaDbServer, "query"> = topology): Promise<number> {
    last += 1;
    await server.query(`INSERT INTO site.t VALUES (${last})`);
    return last;
  }

  /** What a read shows of the rows written, and where it was. */
  async function look(source: Source, fence?: Fence): Promise<{ ids: number[] } & RowsOrigin> {
    await using rows = await source.read(NOW, fence);
    const found = await rows.scan(t, { see: [], after: undefined, limit: 10_000 });
    const ids = found.flatMap(({ key }) => Number(key?.[0]));
    return { ids, ...(rows.origin?.() as RowsOrigin) };
  }

  const nameOf = ({ url }: { readonly url: string }) => new URL(url).host;
  const replicaNames = () => topology.replicas.map(nameOf);

  test("a read is from a replica, and says where it was", async () => {
    const id = await write();
    const source = await open({ waitSeconds: 5 });

    const seen = await look(source);

    expect(seen).toMatchObject({ isPrimary: false, passed: [], position: await source.position() });
    expect(replicaNames()).toContain(seen.server);
    expect(seen.ids).toContain(id);
    expect(seen.rows).toBeGreaterThanOrEqual(seen.ids.length);
  });

  test.each([
    ["applies nothing", stopApplying],
    ["fetches nothing", stopFetching],
    ["is an hour late", (replica: MariaDbServer) => delay(replica, 3600)],
  ])("a replica that %s is passed over, and read again when it follows", async (_, stop) => {
    const [first, second] = topology.replicas;
    await Promise.all([stop(first), stop(second)]);
    onTestFinished(() =>
      Promise.all(topology.replicas.map((each) => delay(each, 0))).then(() => {}),
    );
    const source = await open();
    const id = await write();

    const late = await look(source);
    expect(late).toMatchObject({ isPrimary: true, server: nameOf(topology) });
    expect(late.ids).toContain(id);
    expect(late.passed.join()).toContain(`${nameOf(first)}: It does not have ${BRAND.flavour}:`);

    await delay(second, 0);
    await expect
      .poll(async () => (await look(source)).server, { timeout: 9000 })
      .toBe(nameOf(second));
  });

  test("a frozen replica is passed over in bounded time, and read again when it thaws", async () => {
    const [first, second] = topology.replicas;
    const source = await open();
    await look(source);
    await Promise.all([first.freeze(), second.freeze()]);
    onTestFinished(() => [first, second].forEach((each) => void each.thaw()));
    const id = await write();

    expect(await look(source)).toMatchObject({
      isPrimary: true,
      ids: expect.arrayContaining([id]),
    });

    first.thaw();
    await expect
      .poll(async () => (await look(source)).server, { timeout: 9000 })
      .toBe(nameOf(first));
  });

  test("a replica that dies while it is read fails the read, and is read again when it is back", async () => {
    const [first, second] = topology.replicas;
    const source = await open();
    await stopApplying(second);
    await write();
    onTestFinished(() => delay(second, 0));
    await using rows = await (await open({ waitSeconds: 5 })).read(NOW);
    expect(rows.origin?.().server).toBe(nameOf(first));

    await first.kill();
    await expect(rows.isEmpty(t)).rejects.toMatchObject({ code: "source_unavailable" });
    expect(await look(source)).toMatchObject({ isPrimary: true });

    await first.start();
    await expect
      .poll(async () => (await look(source)).server, { timeout: 9000 })
      .toBe(nameOf(first));
  });

  test("a replica that freezes while it is read fails the read in bounded time", async () => {
    const source = await open({ waitSeconds: 5 });
    await using rows = await source.read(NOW);
    const read = topology.replicas.find((each) => nameOf(each) === rows.origin?.().server);
    await read?.freeze();
    onTestFinished(() => read?.thaw());

    await expect(rows.isEmpty(t)).rejects.toMatchObject({ code: "source_unavailable" });
  });

  test("a replica without a free connection is passed over", async () => {
    const [first, second] = topology.replicas;
    for (const each of [first, second]) await each.query("SET GLOBAL max_connections = 10");
    const others = await Promise.all(
      Array.from({ length: 22 }, (_, at) =>
        createConnection(topology.urls[1 + (at % 2)] ?? "").catch(() => undefined),
      ),
    );
    onTestFinished(async () => {
      for (const each of others) await each?.end();
      for (const each of [first, second]) await each.query("SET GLOBAL max_connections = 500");
    });
    const source = await open();

    const seen = await look(source);

    expect(seen).toMatchObject({ isPrimary: true });
    expect(seen.passed.join()).toContain("ER_CON_COUNT_ERROR");
  });

  test("a snapshot outlives the server's wait_timeout", async () => {
    for (const each of topology.replicas) await each.query("SET GLOBAL wait_timeout = 1");
    onTestFinished(async () => {
      for (const each of topology.replicas) await each.query("SET GLOBAL wait_timeout = 28800");
    });
    const source = await open();
    await using rows = await source.read(NOW);
    const idle = await createConnection(topology.urls[1]);

    await once(idle, "error");

    expect(await rows.isEmpty(t)).toBe(false);
  });

  test("a position is refused when it is empty, malformed or never was", async () => {
    // MySQL waits a second for a position that it does not have.
    const source = await open({ waitSeconds: 5, queryMs: 5000 });
    const failure = (at: string) => look(source, { at: [at] }).catch((error: unknown) => error);

    const at = (await source.position()) ?? "";
    expect(await look(source, { at: [at] })).toMatchObject({
      isPrimary: false,
    });
    expect(await failure("")).toMatchObject({ code: "input_invalid" });
    expect(await failure(`${BRAND.flavour}:`)).toMatchObject({ code: "input_invalid" });
    expect(await failure(OTHER)).toMatchObject({
      code: "input_invalid",
    });
    expect(await failure(FOREIGN)).toMatchObject({ code: "position_unknown" });
    expect(await failure(beyond(at))).toMatchObject({ code: "position_unknown" });
  });

  test("no read begins while there is no primary; one that restarts is found", async () => {
    const source = await open();
    await topology.kill();
    await expect(look(source)).rejects.toMatchObject({ code: "source_unavailable" });

    const [, seen] = await Promise.all([topology.start(), look(await open({ waitSeconds: 20 }))]);

    expect(seen).toMatchObject({ isPrimary: false });
  });

  test("a promoted replica is the primary; with two of them nothing is read", async () => {
    const [first, second] = topology.replicas;
    const source = await open({ waitSeconds: 5 });
    await topology.kill();
    await promote(first, [second]);
    const id = await write(first);

    const seen = await look(source);
    expect(seen).toMatchObject({ server: nameOf(second), ids: expect.arrayContaining([id]) });
    expect(await source.position()).toMatch(PROMOTED);

    await topology.start();
    await expect
      .poll(() => look(source).catch((error: unknown) => error))
      .toMatchObject({
        code: "source_rejected",
        hint: expect.stringContaining("read_only"),
      });
  });
});
