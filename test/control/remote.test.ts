import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { expect, test } from "vitest";
import { jobEvents, requestRebuild } from "../../src/control/remote.ts";
import { sentEvents } from "../../src/control/sse-reader.ts";
import { served } from "./served.ts";

const signal = new AbortController().signal;
const named = { rows: ["article:42"] };

/** A listening server's address, and its end. */
async function at(server: ReturnType<typeof createTcpServer>) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, [Symbol.asyncDispose]: async () => void server.close() };
}

/** Passes on all but the first answer, which is lost on its way. */
function forgetful(url: string) {
  let isFirst = true;
  return createTcpServer((client) => {
    const server = connect(Number(new URL(url).port), "127.0.0.1");
    client.on("error", () => server.destroy());
    server.on("error", () => client.destroy());
    client.pipe(server);
    if (!isFirst) return void server.pipe(client);
    isFirst = false;
    server.once("data", () => client.destroy());
  });
}

test("a request whose answer was lost is asked again, and made once", async () => {
  await using api = await served();
  await using front = await at(forgetful(api.url));
  const token = await api.token("rebuild");

  const id = await requestRebuild({ url: front.url, token, signal }, named);

  const posts = api.log.filter(({ route, status }) => route === "/v1/rebuilds" && status === 202);
  expect(posts).toHaveLength(2);
  expect(await api.jobs.job(id)).toMatchObject({ requests: 1 });
});

test("a server's refusal is told as it is", async () => {
  await using api = await served();
  const token = await api.token("read");
  const remote = { url: api.url, token, signal };

  await expect(requestRebuild(remote, named)).rejects.toMatchObject({ code: "scope_missing" });
  const following = jobEvents(remote, "99").next();
  await expect(following).rejects.toMatchObject({ code: "not_found" });
});

test.each([
  ["a page", 200, "text/html", "<html>"],
  ["other JSON", 200, "application/json", '{"id":1}'],
  ["a refusal of its own", 404, "text/html", "<html>"],
])("a server that answers with %s is no Nightbake", async (_, status, type, body) => {
  await using other = await at(
    createServer((_, response) => response.writeHead(status, { "content-type": type }).end(body)),
  );
  const remote = { url: other.url, token: "x", signal };

  await expect(requestRebuild(remote, named)).rejects.toMatchObject({ code: "server_rejected" });
  await expect(jobEvents(remote, "1").next()).rejects.toMatchObject({ code: "server_rejected" });
});

test("a token goes nowhere else: redirects are not followed", async () => {
  const seen: unknown[] = [];
  await using thief = await at(
    createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end();
    }),
  );
  await using server = await at(
    createServer((_, response) => response.writeHead(307, { location: thief.url }).end()),
  );
  const asked = requestRebuild({ url: server.url, token: "x", signal }, named);

  await expect(asked).rejects.toMatchObject({ code: "server_rejected" });
  expect(seen).toEqual([]);
});

test.each([
  [
    "lines of any end",
    ["id: 1\r\nevent: a\r\ndata: x\r\n\r\nid: 2\ndata: y\n\n"],
    ["1 a x", "2 message y"],
  ],
  ["pieces of any size", ["id", ": 1\nda", "ta: é".slice(0, 4), "é\n", "\n"], ["1 message é"]],
  ["comments and other fields", [": hi\nretry: 5\n\nid: 1\ndata: x\n\n"], ["1 message x"]],
  ["several lines of data", ["data: a\ndata:  b\ndata\n\n"], [" message a\n b\n"]],
  ["an event that was cut off", ["id: 1\ndata: x\n\nid: 2\ndata: y\n"], ["1 message x"]],
])("events are read from %s", async (_, pieces, expected) => {
  async function* chunks() {
    for (const each of pieces) yield Buffer.from(each);
  }

  const events = await Array.fromAsync(sentEvents(chunks()));

  expect(events.map(({ id, event, data }) => `${id} ${event} ${data}`)).toEqual(expected);
});
