import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createConnection } from "mysql2/promise";
import { asUser, BRAND } from "./brand.ts";
import {
  type Daemon,
  onFreePort,
  removeFolder,
  startDaemon,
  temporaryFolder,
  untilReady,
} from "./daemon.ts";

/** A reachable MariaDB server, or MySQL where `MYSQLD` names one, and what suites ask of it. */
export interface MariaDbAddress {
  /** `mysql://root:…@127.0.0.1:40123`, with every privilege. */
  readonly url: string;
  /** Runs one statement on a connection of its own; rows come as objects. */
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Makes an empty database that compares by bytes and gives its URL. The default name is unique. */
  createDatabase(name?: string): Promise<string>;
}

/** One private server process whose end and restart a test controls. */
export interface MariaDbServer extends MariaDbAddress {
  /** Ends the server like a power cut. */
  kill(): Promise<void>;
  /** Starts a killed server again on the same port and data. */
  start(): Promise<void>;
  /** Stops it in its tracks: it takes connections and answers nothing. `thaw` lets it go on. */
  freeze(): Promise<void>;
  thaw(): void;
}

/** A private primary with its replicas. */
export interface MariaDb extends MariaDbServer, AsyncDisposable {
  readonly replicaUrls: readonly string[];
  /** Read-only replicas; `STOP SLAVE SQL_THREAD` makes one lag. */
  readonly replicas: readonly MariaDbServer[];
  /**
   * Waits until every replica has applied what the primary has committed.
   * @throws Error after `timeoutSeconds` (default 10), e.g. when replication stopped.
   */
  caughtUp(timeoutSeconds?: number): Promise<void>;
}

/** What a private MariaDB can be asked for. */
export interface MariaDbOptions {
  /** Default 0. */
  readonly replicas?: number;
  /** Flush at each commit, so that `kill()` loses nothing. Default false, which is faster. */
  readonly durable?: boolean;
  /** Further arguments of mariadbd, e.g. `--binlog-format=MIXED`. */
  readonly args?: readonly string[];
}

/** The settings our binlog reader needs, which we also recommend for production. */
const REPLICATION_ARGS = [
  "--log-bin=binlog",
  "--log-slave-updates=ON",
  "--binlog-format=ROW",
  "--binlog-row-image=FULL",
  "--binlog-row-metadata=FULL",
];

const SERVER_ARGS = [
  "--bind-address=127.0.0.1",
  "--skip-name-resolve",
  "--character-set-server=utf8mb4",
  `--collation-server=${BRAND.byteCollation}`,
  "--max-allowed-packet=64M",
  "--max-connections=500",
  "--innodb-buffer-pool-size=64M",
  ...BRAND.args,
];

/** Wraps the URL of a server that is already running. */
export function mariaDbAt(url: string): MariaDbAddress {
  const query: MariaDbAddress["query"] = async (sql, values = []) => {
    const connection = await createConnection({ uri: url, charset: "utf8mb4_bin" });
    try {
      const [rows] = await connection.query(sql, [...values]);
      return rows as never;
    } finally {
      await connection.end();
    }
  };
  const createDatabase = async (name = `test_${randomBytes(6).toString("hex")}`) => {
    await query(`CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4 COLLATE ${BRAND.byteCollation}`);
    return `${url}/${name}`;
  };
  return { url, query, createDatabase };
}

/** Starts a private MariaDB 10.11 (or {@link BRAND}) in a temporary folder; both a primary and its replicas keep GTID binlogs. */
export async function startMariaDb(options: MariaDbOptions = {}): Promise<MariaDb> {
  const dir = temporaryFolder("mariadb");
  try {
    return await startCluster(dir, options);
  } catch (error) {
    await removeFolder(dir);
    throw error;
  }
}

async function startCluster(dir: string, options: MariaDbOptions): Promise<MariaDb> {
  const password = randomBytes(9).toString("hex");
  await BRAND.install(dir, password);
  const start = (id: number) => startServer({ dir, id, password, options });
  const started = Array.from({ length: 1 + (options.replicas ?? 0) }, (_, index) =>
    start(index + 1),
  );
  const [primary, ...replicas] = await allOrNone(started);
  if (primary === undefined) throw new Error("No server was asked for.");
  await Promise.all(replicas.map((replica) => follow(replica, primary, password)));
  return {
    ...primary,
    replicas,
    replicaUrls: replicas.map(({ url }) => url),
    caughtUp: (timeoutSeconds = 10) => caughtUp(primary, replicas, timeoutSeconds),
    async [Symbol.asyncDispose]() {
      await Promise.all([primary, ...replicas].map((server) => server.kill()));
      await removeFolder(dir);
    },
  };
}

/** Like Promise.all, but what did start is killed when another server fails. */
async function allOrNone(starting: readonly Promise<MariaDbServer>[]): Promise<MariaDbServer[]> {
  const results = await Promise.allSettled(starting);
  const servers = results.flatMap((result) =>
    result.status === "fulfilled" ? [result.value] : [],
  );
  const failed = results.find((result) => result.status === "rejected");
  if (failed === undefined) return servers;
  await Promise.all(servers.map((server) => server.kill()));
  throw failed.reason;
}

interface ServerOptions {
  readonly dir: string;
  /** 1 is the primary. */
  readonly id: number;
  readonly password: string;
  readonly options: MariaDbOptions;
}

async function startServer(options: ServerOptions): Promise<MariaDbServer> {
  const { dir, id, password } = options;
  cpSync(join(dir, "template"), join(dir, `data${id}`), { recursive: true });
  let [daemon, port] = await onFreePort(async (port) => [await boot(options, port), port] as const);
  return {
    ...mariaDbAt(`mysql://root:${password}@127.0.0.1:${port}`),
    kill: () => daemon.kill(),
    async start() {
      daemon = await boot(options, port);
    },
    freeze: () => stopped(daemon.pid),
    thaw: () => void process.kill(daemon.pid, "SIGCONT"),
  };
}

/** Sends SIGSTOP and waits until no thread of the process runs any more, where the system tells. */
async function stopped(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  const tasks = `/proc/${pid}/task`;
  const runs = (task: string) => !/\) [Tt] /.test(readFileSync(join(tasks, task, "stat"), "utf8"));
  while (existsSync(tasks) && readdirSync(tasks).some(runs)) await sleep(5);
}

async function boot({ dir, id, password, options }: ServerOptions, port: number): Promise<Daemon> {
  const data = join(dir, `data${id}`);
  // A server that starts removes the temporary tables it finds, its neighbours' too.
  const temporary = join(dir, `tmp${id}`);
  mkdirSync(temporary, { recursive: true });
  const socketPath = join(data, "mariadb.sock");
  const own = [
    `--datadir=${data}`,
    `--tmpdir=${temporary}`,
    `--socket=${socketPath}`,
    `--port=${port}`,
    `--server-id=${id}`,
  ];
  const role = [...BRAND.starting(dir), ...(id > 1 ? ["--read-only=ON"] : [])];
  const flush = options.durable
    ? ["--sync-binlog=1"]
    : ["--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0"];
  const args = [...own, ...role, ...flush, ...SERVER_ARGS, ...REPLICATION_ARGS, ...asUser()];
  const command = [BRAND.program, "--no-defaults", ...args, ...(options.args ?? [])] as const;
  const daemon = startDaemon({ name: `mariadbd${id}`, dir, command });
  // By the socket of our own folder: on the port another server might answer.
  await untilReady(daemon, async () => {
    const connection = await createConnection({ socketPath, user: "root", password });
    await connection.end();
    return true;
  }).catch(async (error: unknown) => {
    await daemon.kill();
    throw error;
  });
  return daemon;
}

async function follow(
  replica: MariaDbServer,
  primary: MariaDbServer,
  password: string,
): Promise<void> {
  const { port } = new URL(primary.url);
  if (BRAND.flavour === "mariadb") await replica.query("SET GLOBAL gtid_slave_pos = ''");
  const user = { USER: "'root'", PASSWORD: `'${password}'`, CONNECT_RETRY: 1 };
  await replica.query(BRAND.change({ HOST: "'127.0.0.1'", PORT: port, ...user, ...BRAND.byGtid }));
  await replica.query(`START ${BRAND.replica}`);
}

async function caughtUp(
  primary: MariaDbServer,
  replicas: readonly MariaDbServer[],
  timeoutSeconds: number,
): Promise<void> {
  const [row] = await primary.query<{ position: string }>(BRAND.position);
  const values = [row?.position, timeoutSeconds];
  const waits = replicas.map((replica) => replica.query<{ result: number }>(BRAND.wait, values));
  for (const [wait] of await Promise.all(waits)) {
    if (wait?.result === 0) continue;
    throw new Error(`A replica did not reach ${row?.position} in ${timeoutSeconds} s.`);
  }
}
