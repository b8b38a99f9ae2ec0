import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { startMariaDb } from "./mariadb.ts";
import { startRadosgw } from "./radosgw.ts";

type Started = AsyncDisposable & { readonly address: unknown };

/** How each shared server starts and what suites are told of it. */
const STARTERS: Readonly<Record<string, () => Promise<Started>>> = {
  async mariadb() {
    const server = await startMariaDb();
    return { address: server.url, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  },
  async radosgw() {
    const server = await startRadosgw();
    const { endpoint, region, accessKeyId, secretAccessKey } = server;
    const address = { endpoint, region, accessKeyId, secretAccessKey };
    return { address, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  },
};

/**
 * Listens for suites that want a shared server, starts it for the first of them and stops all at the end of the
 * run: a run of pure tests starts nothing. Vitest calls it once, in its main process.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = new Map<string, Promise<Started>>();
  const once = (name: string, start: () => Promise<Started>) => {
    const server = started.get(name) ?? start();
    started.set(name, server);
    return server;
  };
  const listener = createServer((request, response) => {
    const name = request.url?.slice(1) ?? "";
    const start = STARTERS[name];
    if (start === undefined) return void response.writeHead(404).end(`There is no "${name}".`);
    once(name, start).then(
      ({ address }) => response.end(JSON.stringify(address)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  project.provide("sharedServers", `http://127.0.0.1:${(listener.address() as AddressInfo).port}`);

  return async () => {
    listener.close();
    listener.closeAllConnections();
    const servers = await Promise.allSettled(started.values());
    const up = servers.flatMap((server) => (server.status === "fulfilled" ? [server.value] : []));
    await Promise.all(up.map((server) => server[Symbol.asyncDispose]()));
  };
}
