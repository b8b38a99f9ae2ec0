import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Lane } from "../../src/jobs/job.ts";
import {
  AGED_MS,
  type Handled,
  type Message,
  PATIENCE_MS,
  type Queue,
} from "../../src/jobs/queue.ts";

/** A place for one queue; each `open` is another process' view of it, whose clock stands at `nowMs`. */
export interface QueuePlace {
  open(nowMs?: () => number): Promise<Queue>;
}

const message = (id: string, lane: Lane = "editor", delayMs?: number): Message => ({
  id,
  lane,
  body: { is: "job", job: id },
  delayMs,
});
const ids = (messages: readonly Message[]) => messages.map(({ id }) => id);

/** Works on a queue until so many messages were handled; gives them in order. */
async function handled(
  queue: Queue,
  count: number,
  handle: (message: Message) => Promise<Handled> = async () => undefined,
  concurrency = 1,
): Promise<readonly Message[]> {
  const stop = new AbortController();
  const seen: Message[] = [];
  const one = async (each: Message) => {
    seen.push(each);
    if (seen.length === count) stop.abort();
    return await handle(each);
  };
  await queue.work(one, { concurrency, signal: stop.signal });
  return seen;
}

/**
 * What every Queue must do. `newPlace` gives room for an empty queue each time it is called. Standard
 * queues promise less: about the order within a lane, and of two messages of one id both may come.
 */
export function describeQueue(
  engine: string,
  newPlace: () => Promise<QueuePlace>,
  { isStandard = false }: { readonly isStandard?: boolean } = {},
): void {
  /** What the order of messages is compared by. */
  const inOrder = (names: readonly string[]) =>
    isStandard ? names.map((name) => name.slice(0, 1)) : names;
  const queueTest = (name: string, body: (queue: Queue, place: QueuePlace) => Promise<void>) =>
    test(name, async () => {
      const place = await newPlace();
      await using queue = await place.open();
      await body(queue, place);
    });
  describe(`${engine} as a Queue`, () => {
    queueTest("hands messages out as they were sent, the lanes in their order", async (queue) => {
      await queue.send([message("n", "nightly"), message("l", "live"), message("e1")]);
      await queue.send([message("e2"), message("t", "takedown")]);
      expect(await queue.counts()).toEqual({ takedown: 1, editor: 2, live: 1, nightly: 1 });

      const seen = await handled(queue, 5);

      expect(inOrder(ids(seen))).toEqual(inOrder(["t", "e1", "e2", "l", "n"]));
      const first = seen.find(({ id }) => id === "e1");
      expect(first).toEqual({ id: "e1", lane: "editor", body: { is: "job", job: "e1" } });
      expect(await queue.counts()).toEqual({ takedown: 0, editor: 0, live: 0, nightly: 0 });
    });

    queueTest(
      "a message that waits is the same one when it is sent again, a handled one is not",
      async (queue) => {
        await queue.send([message("a"), message("a")]);
        await queue.send([message("a"), message("b")]);
        const seen = ids(await handled(queue, isStandard ? 4 : 2));
        expect([...new Set(seen)].toSorted()).toEqual(["a", "b"]);
        expect((await queue.counts()).editor).toBe(0);

        await queue.send([message("a")]);

        expect(ids(await handled(queue, 1))).toEqual(["a"]);
        expect((await queue.counts()).editor).toBe(0);
      },
    );

    queueTest("a message comes after its delay, others meanwhile", async (queue) => {
      const sentMs = Date.now();
      await queue.send([message("late", "takedown", 300), message("now")]);
      expect((await queue.counts()).takedown).toBe(1);

      const seen = await handled(queue, 2);

      expect(ids(seen)).toEqual(["now", "late"]);
      expect(Date.now() - sentMs).toBeGreaterThanOrEqual(300);
    });

    queueTest(
      "a message that is handed back comes again, as does one whose handler throws",
      async (queue) => {
        await queue.send([message("back"), message("thrown")]);
        const tries = new Map<string, number>();

        const seen = await handled(queue, 4, async ({ id }) => {
          const turn = (tries.get(id) ?? 0) + 1;
          tries.set(id, turn);
          if (turn === 1 && id === "thrown") throw new Error("asked for");
          return turn === 1 ? { againMs: 20 } : undefined;
        });

        expect(ids(seen).toSorted()).toEqual(["back", "back", "thrown", "thrown"]);
        expect((await queue.counts()).editor).toBe(0);
      },
    );

    queueTest(
      "so many are in hand at once, and the last is handled when work ends",
      async (queue) => {
        await queue.send(["a", "b", "c", "d", "e"].map((id) => message(id)));
        let inHand = 0;
        const most: number[] = [];

        const seen = await handled(
          queue,
          3,
          async () => {
            inHand += 1;
            most.push(inHand);
            await sleep(30);
            inHand -= 1;
            return undefined;
          },
          2,
        );

        expect(inHand).toBe(0);
        expect(Math.max(...most)).toBe(2);
        expect(seen.length).toBeGreaterThanOrEqual(3);
        expect((await queue.counts()).editor).toBe(5 - seen.length);
      },
    );

    queueTest("who works waits for what is sent, from wherever", async (queue, place) => {
      await using other = await place.open();
      const working = handled(queue, 1);

      await sleep(30);
      await other.send([message("a")]);

      expect(ids(await working)).toEqual(["a"]);
    });

    queueTest("of those who waited too long one goes first from time to time", async (_, place) => {
      let nowMs = Date.now();
      await using queue = await place.open(() => nowMs);
      await queue.send([message("n1", "nightly"), message("n2", "nightly"), message("l", "live")]);
      nowMs += PATIENCE_MS.nightly + 2 * AGED_MS;
      await queue.send(["e1", "e2", "e3", "e4", "e5"].map((id) => message(id)));

      const seen = await handled(queue, 8, async ({ id }) => {
        if (id === "e2") nowMs += AGED_MS;
        return undefined;
      });

      // The live one is over its patience for longer than the nightly ones.
      const order = ids(seen);
      const editors = order.filter((id) => id.startsWith("e"));
      expect(inOrder(editors)).toEqual(inOrder(["e1", "e2", "e3", "e4", "e5"]));
      const first = (of: string) => inOrder(order).indexOf(inOrder([of])[0] ?? "");
      expect(order.indexOf("l")).toBeLessThan(order.indexOf("e2"));
      expect(first("n1")).toBeLessThan(order.indexOf(editors.at(-1) ?? ""));
      expect(inOrder(order).at(-1)).toBe(inOrder(["n2"])[0]);
    });
  });
}
