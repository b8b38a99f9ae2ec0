import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Message } from "../../src/jobs/queue.ts";
import { delaySeconds, sentMessage, textOf } from "../../src/jobs/sqs-message.ts";
import { sqsQueue } from "../../src/jobs/sqs-queue.ts";
import { smallWorld } from "../pipeline/world.ts";
import { type Fauxqs, startFauxqs } from "../services/fauxqs.ts";
import { describeQueue } from "./queue-contract.ts";
import { startWorking } from "./working.ts";

let server: Fauxqs;
beforeAll(async () => {
  server = await startFauxqs();
});
afterAll(() => server[Symbol.asyncDispose]());

const credentials = { accessKeyId: "test", secretAccessKey: "test" };

describeQueue(
  "SQS",
  async () => {
    const { url } = server.createQueues();
    return { open: async (nowMs) => sqsQueue({ url, credentials, ...(nowMs && { nowMs }) }) };
  },
  { isStandard: true },
);

const editor = (id: string, delayMs?: number): Message => ({
  ...{ id, lane: "editor", body: { is: "job", job: id }, delayMs },
});

test("a message in hand is nobody else's, for as long as it takes", async () => {
  const { url } = server.createQueues();
  await using one = sqsQueue({ url, credentials, visibleSeconds: 1 });
  await using other = sqsQueue({ url, credentials });
  const stop = new AbortController();
  const seen: string[] = [];
  await one.send([editor("long")]);

  const working = [
    one.work(
      async () => {
        seen.push("one");
        await sleep(2_200);
        stop.abort();
        return undefined;
      },
      { concurrency: 1, signal: stop.signal },
    ),
    sleep(100).then(() =>
      other.work(
        async () => {
          seen.push("other");
          return undefined;
        },
        { concurrency: 1, signal: stop.signal },
      ),
    ),
  ];
  await Promise.all(working);

  expect(seen).toEqual(["one"]);
});

test("what cannot begin yet is left to others, and its delay may be longer than SQS has", async () => {
  let nowMs = 1_800_000_000_000;
  const sent = sentMessage(
    textOf({ message: editor("a"), sentMs: nowMs, readyMs: nowMs + 3_600_000 }),
  );
  expect(delaySeconds(sent, nowMs)).toBe(900);
  expect(delaySeconds(sent, nowMs + 3_599_001)).toBe(1);
  expect(delaySeconds(sent, nowMs + 3_600_001)).toBe(0);
  const { url } = server.createQueues();
  await using queue = sqsQueue({ url, credentials, nowMs: () => nowMs });
  await queue.send([editor("a", 500)]);
  const stop = new AbortController();
  const seen: number[] = [];

  const working = queue.work(
    async () => {
      seen.push(nowMs);
      stop.abort();
      return undefined;
    },
    { concurrency: 1, signal: stop.signal },
  );
  // SQS hands it out after a second; by this clock no time has passed, so it is delayed again.
  await sleep(1_300);
  expect(seen).toEqual([]);
  nowMs += 500;
  await working;

  expect(seen).toEqual([nowMs]);
});

test("what handlers throw counts towards the dead letters, what is handed back does not", async () => {
  const queues = server.createQueues(2);
  await using queue = sqsQueue({ url: queues.url, credentials });
  await queue.send([editor("again"), editor("bad")]);
  const stop = new AbortController();
  const tries = new Map<string, number>();
  const all = ["again", "again", "again", "again", "bad", "bad"];

  await queue.work(
    async ({ id }) => {
      const turn = (tries.get(id) ?? 0) + 1;
      tries.set(id, turn);
      if ([...tries.values()].reduce((sum, each) => sum + each, 0) === all.length) stop.abort();
      if (id === "bad") throw new Error("asked for");
      return turn < 4 ? { againMs: 0 } : undefined;
    },
    { concurrency: 1, signal: stop.signal },
  );

  expect(Object.fromEntries(tries)).toEqual({ again: 4, bad: 2 });
  // SQS moves it when it is asked for the next time.
  await sleep(1_100);
  const over = { concurrency: 1, signal: AbortSignal.timeout(200) };
  await queue.work(async () => expect.fail("none comes any more"), over);
  expect(queues.waiting("dead").map((text) => sentMessage(text).message.id)).toEqual(["bad"]);
});

test("workers run jobs whose messages come from there, and leave none behind", async () => {
  await using world = await smallWorld(4);
  await world.with(async (wired) => {
    const { url } = server.createQueues();
    await using asked = sqsQueue({ url, credentials });
    await using working = startWorking(wired, { queue: sqsQueue({ url, credentials }) });

    const jobs = await Promise.all([
      working.done({ work: { is: "build" }, lane: "nightly" }),
      working.done({ work: { is: "verify" }, lane: "nightly" }),
      working.done({ work: { is: "due" }, lane: "live" }),
    ]);

    expect(jobs.map(({ state, attempts }) => `${state} ${attempts}`)).toEqual(
      jobs.map(() => "done 1"),
    );
    const left = async () => Object.values(await asked.counts()).reduce((sum, each) => sum + each);
    await expect.poll(left).toBe(0);
  });
});

test("a queue that is not there is said to be unavailable", async () => {
  await using queue = sqsQueue({ url: `${server.createQueues().url}-none`, credentials });

  const refused = { code: "queue_unavailable", retryable: true, at: { queue: "editor" } };
  await expect(queue.send([editor("a")])).rejects.toMatchObject(refused);
  await expect(queue.counts()).rejects.toMatchObject({ code: "queue_unavailable" });
});

test.each(["", "[]", "{}", '{"id":"a","lane":"none","body":{},"sentMs":1,"readyMs":1}', "null"])(
  "%o is none of our messages, of which nothing is told",
  (text) => {
    expect(() => sentMessage(text)).toThrow(
      expect.objectContaining({
        code: "input_invalid",
        message: expect.not.stringContaining("id"),
      }),
    );
  },
);
