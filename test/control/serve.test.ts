import { expect, test } from "vitest";
import { serve } from "../../src/control/serve.ts";
import { newToken, tokenHash } from "../../src/control/token.ts";
import { memoryQueue } from "../../src/jobs/memory-queue.ts";
import { smallWorld } from "../pipeline/world.ts";

test("a queue that does not answer keeps nobody waiting, and the job stands in the ledger", async () => {
  await using world = await smallWorld(2);
  await world.with(async (wired) => {
    const never = () => new Promise<never>(() => {});
    await using memory = memoryQueue();
    const queue = { ...memory, send: never, counts: never };
    const token = newToken();
    const scopes = ["rebuild", "metrics"];
    await wired.ledger.addToken({ name: "cms", hash: tokenHash(token), scopes, createdAt: 1 });
    const stop = new AbortController();
    const listening = Promise.withResolvers<string>();
    const options = { host: "127.0.0.1", port: 0, requestsPerMinute: 10, signal: stop.signal };
    const serving = serve(
      { wired, queue },
      { ...options, onListening: listening.resolve, onAnswer: () => {} },
    );
    const url = await listening.promise;
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const body = JSON.stringify({ rows: ["posts:1"] });

    const asked = await fetch(`${url}/v1/rebuilds`, { method: "POST", headers, body });
    const metrics = await fetch(`${url}/metrics`, { headers });

    await Promise.all([asked.text(), metrics.text()]);
    expect([asked.status, metrics.status]).toEqual([202, 200]);
    expect(await wired.ledger.keptJob(1)).toMatchObject({ requests: 1 });
    stop.abort();
    await serving;
  });
});
