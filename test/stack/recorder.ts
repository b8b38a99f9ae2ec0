import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { callOf } from "./calls.ts";

/** Stands in front of servers of AWS's and writes down what is asked of them. */
export interface Recorder extends AsyncDisposable {
  /** Where to ask instead of `endpoint`. */
  before(endpoint: string): Promise<string>;
  /** All that was asked, each once, sorted. */
  calls(): readonly string[];
  /** Answers 503 to these from now on, instead of passing them on. */
  refuse(calls: readonly string[]): void;
}

/** Opens one for one of those who ask. Requests go on untouched, so signatures hold. */
export function openRecorder(): Recorder {
  const called = new Set<string>();
  let refused: readonly string[] = [];
  const open = new AsyncDisposableStack();
  return {
    async before(endpoint) {
      const { hostname, port, origin } = new URL(endpoint);
      const server = createServer(async (incoming, outgoing) => {
        const { method = "GET", url: path = "/", headers } = incoming;
        const body = await buffer(incoming);
        const call = callOf({ method, path, headers, body });
        called.add(call);
        if (refused.includes(call)) return void outgoing.writeHead(503).end();
        httpRequest({ hostname, port, method, path, headers })
          .once("response", (answer) => {
            outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
            answer.pipe(outgoing);
          })
          .once("error", () => outgoing.destroy())
          .end(body);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      open.defer(async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      });
      return endpoint.replace(origin, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    },
    calls: () => [...called].sort(),
    refuse(calls) {
      refused = calls;
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
