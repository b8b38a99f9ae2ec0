import { Agent } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { randomFrom } from "../services/random.ts";
import { fuzzed, rawRequest } from "./fuzzed.ts";
import { type Got, sent } from "./sent.ts";
import { served } from "./served.ts";

const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const REFUSED = 2000;
const RAW = 300;

async function sentRaw(url: string, bytes: Uint8Array): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined);
  socket.end(bytes);
  return await text(socket).catch(() => "");
}

/** Why an answer is none that an attacker may be given; undefined when it is. */
function flawOf({ status, type, body }: Got, method: string): string | undefined {
  if (status < 200 || status >= 500) return `status ${status}`;
  if (/node:|node_modules|\.ts:\d|\n\s+at /.test(body)) return "a stack trace";
  if (status < 400) return undefined;
  if (!type.startsWith("application/problem+json")) return `type ${type}`;
  if (method === "HEAD") return body === "" ? undefined : "a body";
  const problem = JSON.parse(body) as Record<string, unknown>;
  const isWhole = ["type", "title", "detail", "code", "instance"].every(
    (name) => typeof problem[name] === "string",
  );
  return isWhole && problem["status"] === status ? undefined : "no whole problem document";
}

test(`whatever is sent is refused with a problem document (SEED=${SEED})`, async () => {
  await using api = await served();
  const authorization = `Bearer ${await api.token("read", "rebuild", "build", "takedown")}`;
  const random = randomFrom(SEED);
  const agent = new Agent({ keepAlive: true });
  const flaws: unknown[] = [];
  const statuses: Record<number, number> = {};

  for (let refused = 0; refused < REFUSED; ) {
    const each = fuzzed(random, authorization);
    const got = await sent(api.url, agent, each);
    const flaw = flawOf(got, each.method);
    if (flaw !== undefined) flaws.push([flaw, each, got]);
    statuses[got.status] = (statuses[got.status] ?? 0) + 1;
    if (got.status >= 400) refused += 1;
  }
  agent.destroy();

  expect(flaws.slice(0, 3)).toEqual([]);
  // It is of every kind.
  expect(Object.keys(statuses)).toEqual(
    expect.arrayContaining(["200", "202", "400", "401", "404", "405", "413", "415", "422"]),
  );
  expect(api.log.filter(({ error }) => error !== undefined)).toEqual([]);
});

test(`so is what is hardly HTTP (SEED=${SEED})`, async () => {
  await using api = await served();
  const authorization = `Bearer ${await api.token("read", "rebuild")}`;
  const random = randomFrom(SEED);
  const flaws: unknown[] = [];

  for (let nth = 0; nth < RAW; nth += 1) {
    const bytes = rawRequest(random, authorization);
    const answer = await sentRaw(api.url, bytes);
    const [head = "", rest = ""] = answer.split("\r\n\r\n");
    // Bytes behind what was read as a request are another one, whose answer comes behind.
    const [body = ""] = rest.split("HTTP/1.1 ");
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
    const type = /^content-type: (.*)$/im.exec(head)?.[1] ?? "";
    const flaw = flawOf(
      { status, type, body },
      body === "" ? String.fromCharCode(...bytes.slice(0, 4)) : "",
    );
    if (flaw !== undefined) flaws.push([flaw, Buffer.from(bytes).toString("latin1"), answer]);
  }

  expect(flaws.slice(0, 3)).toEqual([]);
});
