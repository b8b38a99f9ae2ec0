import site from "../../site.config.ts";
import {
  type Answered,
  type Check,
  openServer,
  type ServerOptions,
  type ServerParts,
} from "../../src/control/server.ts";
import { newToken, tokenHash } from "../../src/control/token.ts";
import { openJobs } from "../../src/jobs/jobs.ts";
import { memoryQueue } from "../../src/jobs/memory-queue.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { checkNames } from "../../src/pipeline.ts";

export interface Asking {
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A server of a ledger, with all it told. */
export type Served = Awaited<ReturnType<typeof served>>;

/** Who answers: a server that listens, or what stands in for one. */
export type Opening = (
  parts: ServerParts,
  options: ServerOptions,
) => Promise<AsyncDisposable & { readonly url: string }>;

/** Serves a ledger's file: one in memory unless it is given, so that several may serve the same. */
export async function served(
  options: Partial<ServerOptions> & {
    readonly file?: string;
    readonly checks?: readonly Check[];
    readonly open?: Opening;
  } = {},
) {
  const { file = ":memory:", checks = [], open: opening = openServer } = options;
  await using parts = new AsyncDisposableStack();
  const ledger = parts.use(await openSqliteLedger(file));
  const jobs = openJobs(ledger, { pollMs: 10 });
  const log: Answered[] = [];
  const server = parts.use(
    await opening(
      {
        jobs,
        ledger,
        queue: parts.use(memoryQueue()),
        checks,
        checkNames: (names) => checkNames(names, site),
        onAnswer: (answered) => log.push(answered),
      },
      { host: "127.0.0.1", port: 0, requestsPerMinute: 1e6, ...options },
    ),
  );
  const open = parts.move();
  return {
    url: server.url,
    ledger,
    jobs,
    log,
    /** A new token for these. */
    async token(...scopes: readonly string[]) {
      const token = newToken();
      const name = `t-${tokenHash(token).slice(0, 4).join("-")}`;
      await ledger.addToken({ name, hash: tokenHash(token), scopes, createdAt: 1 });
      return token;
    },
    ask: (method: string, path: string, asking: Asking = {}) =>
      fetch(server.url + path, requestOf(method, asking)),
    stop: () => server[Symbol.asyncDispose](),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function requestOf(method: string, { token, headers = {}, body }: Asking): RequestInit {
  return {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  };
}
