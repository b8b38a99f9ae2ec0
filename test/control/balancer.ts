import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What stands before clones: passes connections on to one of them. */
export interface Balancer extends AsyncDisposable {
  readonly url: string;
  /** From now on to this one; with `cut` the connections that are open are lost. */
  lead(url: string, options?: { readonly cut: boolean }): void;
}

export async function balancer(to: string): Promise<Balancer> {
  let port = Number(new URL(to).port);
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const clone = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [client, clone],
      [clone, client],
    ] as const) {
      open.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
    }
    client.pipe(clone);
    clone.pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lead(url, options) {
      port = Number(new URL(url).port);
      if (options?.cut) cut();
    },
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
    },
  };
}
