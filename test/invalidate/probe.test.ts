import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { openProbe } from "../../src/invalidate/probe.ts";
import { httpViewer } from "../../src/invalidate/viewer.ts";

const published = async (route: string) => Buffer.from(`new ${route}`);

/** A server that gives each path's answers in turn, the last one for ever. */
async function serve(answers: Readonly<Record<string, readonly (string | number)[]>>) {
  const left = new Map(Object.entries(answers).map(([path, all]) => [path, [...all]]));
  const server = createServer(({ url = "" }, response) => {
    const all = left.get(url) ?? [404];
    const answer = all.length > 1 ? all.shift() : all[0];
    if (typeof answer === "number") response.writeHead(answer);
    response.end(typeof answer === "string" ? answer : "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return httpViewer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

function probing(viewer: Awaited<ReturnType<typeof serve>>) {
  const slept: number[] = [];
  const sleep = async (ms: number) => void slept.push(ms);
  return { slept, probe: openProbe({ viewer, published, sleep }) };
}

test("pages are asked for until each is what is published", async () => {
  const viewer = await serve({
    "/a/": ["new /a/"],
    "/caf%C3%A9/": ["old", 503, "old", "new /café/"],
  });
  const { slept, probe } = probing(viewer);

  expect(await probe.stale(["/a/", "/café/"])).toEqual([]);
  expect(slept).toHaveLength(3);
});

test("those that stay old are told when the time is up", async () => {
  const viewer = await serve({ "/a/": ["new /a/"], "/b/": ["old"] });
  const { slept, probe } = probing(viewer);

  expect(await probe.stale(["/a/", "/b/"])).toEqual(["/b/"]);
  expect(slept.reduce((sum, ms) => sum + ms, 0)).toBe(60_000);
});

test("who is told to stop waits no longer for those that are old", async () => {
  const viewer = await serve({ "/a/": ["old"] });
  const stop = new AbortController();
  const sleep = async () => stop.abort();
  const probe = openProbe({ viewer, published, sleep, signal: stop.signal });

  await expect(probe.stale(["/a/"])).rejects.toMatchObject({ code: "interrupted" });
});

test("a CDN that does not answer is old; a page that went meanwhile is not", async () => {
  const viewer = httpViewer("http://127.0.0.1:1");
  const sleep = async () => {};
  const gone = openProbe({ viewer, published: async () => undefined, sleep });

  expect(await openProbe({ viewer, published, sleep }).stale(["/a/"])).toEqual(["/a/"]);
  expect(await gone.stale(["/a/"])).toEqual([]);
});
