import { mysqlAddress } from "../mysql-address.ts";
import { type Flavour, flavourOf, type Standing } from "./flavour.ts";
import {
  CONNECT_MS,
  type MysqlConnection,
  mysqlPool,
  type TimeLimits,
  within,
} from "./mysql-connection.ts";

/** After a failure a server is left alone for so long, then twice as long each time. */
const REST_MS = 1_000;
const MAX_REST_MS = 30_000;

/** One server that rows may be read from. It is never given up, only left alone for a while. */
export interface Reader extends AsyncDisposable {
  /** As people read it: `db2.internal:3306`. */
  readonly name: string;
  /** It failed lately. */
  readonly isResting: boolean;
  /** Connects and asks who it is; a failure makes it rest. */
  ask(): Promise<Asked>;
  /** It did not do what was asked of it. */
  fail(): void;
  /** It did. */
  succeed(): void;
}

/** How long a server may take, and is left alone after its first failure. */
export interface ReaderLimits extends TimeLimits {
  /** Default 1 s. */
  readonly restMs?: number | undefined;
}

/** A server that answered, with a connection to it that has to be given back. */
export interface Asked extends Standing {
  readonly reader: Reader;
  readonly connection: MysqlConnection;
  readonly flavour: Flavour;
}

/**
 * Sets up one server; connects to nothing yet.
 * @throws PipelineError `config_invalid` when the URL is no database's
 */
export function openReader(url: string, { restMs = REST_MS, ...limits }: ReaderLimits): Reader {
  const pool = mysqlPool(url, limits);
  const { host, port, socketPath } = mysqlAddress(url);
  let failures = 0;
  let restsUntil = 0;
  return {
    name: socketPath ?? `${host}:${port}`,
    get isResting() {
      return performance.now() < restsUntil;
    },
    async ask() {
      try {
        const connection = await pool.connect();
        return { ...(await standingOf(connection, limits)), reader: this, connection };
      } catch (error) {
        this.fail();
        throw error;
      }
    },
    fail() {
      restsUntil = performance.now() + Math.min(MAX_REST_MS, restMs * 2 ** failures);
      failures += 1;
    },
    succeed() {
      failures = 0;
      restsUntil = 0;
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

async function standingOf(connection: MysqlConnection, { connectMs = CONNECT_MS }: TimeLimits) {
  const asked = within(connectMs, connection);
  try {
    const flavour = await flavourOf(asked);
    return { flavour, ...(await flavour.standing(asked)) };
  } catch (error) {
    connection.abandon();
    throw error;
  }
}
