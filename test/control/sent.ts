import { type Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import type { Fuzzed } from "./fuzzed.ts";

/** An answer; of a stream only that it is one. */
export interface Got {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Header values that Node's client takes: what others would send goes through a socket by hand. */
const sendable = (headers: Fuzzed["headers"]) =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !["transfer-encoding", "expect", "upgrade"].includes(name))
      .map(([name, value]) => [name, value.replace(/[^\t\x20-\x7e\x80-\xff]/g, "?")]),
  );

/** Sends a request that no client of ours would. */
export async function sent(
  url: string,
  agent: Agent,
  { method, path, headers, body }: Fuzzed,
): Promise<Got> {
  return await new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const to = { hostname, port, agent, method, path, headers: sendable(headers) };
    const asked = request(to, (response) => {
      const { statusCode: status = 0, headers } = response;
      const type = headers["content-type"] ?? "";
      // A stream of a job that waits goes on for ever; its beginning is enough.
      if (type.startsWith("text/event-stream")) {
        response.destroy();
        resolve({ status, type, body: "" });
      } else text(response).then((body) => resolve({ status, type, body }), reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}
