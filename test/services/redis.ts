import { Redis } from "ioredis";
import {
  type Daemon,
  onFreePort,
  removeFolder,
  startDaemon,
  temporaryFolder,
  untilReady,
} from "./daemon.ts";

/** One private Redis, which keeps nothing on disk. */
export interface RedisServer extends AsyncDisposable {
  /** `redis://127.0.0.1:40123` */
  readonly url: string;
  /** Ends it like a power cut: all that it held is gone. */
  kill(): Promise<void>;
  /** Starts a killed one again at the same port, empty. */
  start(): Promise<void>;
  /** Empties it. */
  flush(): Promise<void>;
}

/** Starts Debian's Redis in a temporary folder. */
export async function startRedis(): Promise<RedisServer> {
  const dir = temporaryFolder("redis");
  let daemon: Daemon | undefined;
  const on = async (port: number) => {
    const args = ["--bind", "127.0.0.1", "--port", String(port), "--dir", dir];
    const memory = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"];
    daemon = startDaemon({ name: "redis", dir, command: ["redis-server", ...args, ...memory] });
    await untilReady(daemon, () => isUp(port));
    return port;
  };
  const port = await onFreePort(on);
  const url = `redis://127.0.0.1:${port}`;
  return {
    url,
    async kill() {
      await daemon?.kill();
    },
    async start() {
      await on(port);
    },
    async flush() {
      const client = new Redis(url);
      await client.flushall();
      client.disconnect();
    },
    async [Symbol.asyncDispose]() {
      await daemon?.kill();
      await removeFolder(dir);
    },
  };
}

async function isUp(port: number): Promise<boolean> {
  const client = new Redis(port, "127.0.0.1", { lazyConnect: true, retryStrategy: () => null });
  client.on("error", () => {});
  try {
    await client.connect();
    return (await client.ping()) === "PONG";
  } finally {
    client.disconnect();
  }
}
