import { connect, createServer, type Socket } from "node:net";

/** A line to a server on which everything takes longer. */
export interface Delayed extends AsyncDisposable {
  readonly port: number;
}

/** Opens one: an answer comes `ms` later than without it, half of it on each way. */
export async function openDelayed(
  to: { host: string; port: number },
  ms: number,
): Promise<Delayed> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(to);
    for (const each of [near, far]) {
      each.setNoDelay(true);
      sockets.add(each);
      each.on("error", () => {}).on("close", () => sockets.delete(each));
    }
    pass(near, far, ms / 2);
    pass(far, near, ms / 2);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("It has no port.");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const each of sockets) each.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Timers of equal length fire in their order, so nothing overtakes. */
function pass(from: Socket, to: Socket, ms: number): void {
  from.on("data", (chunk) => setTimeout(() => to.write(chunk), ms));
  from.on("close", () => setTimeout(() => to.destroy(), ms));
}
