import { LANES, type Lane } from "./job.ts";
import {
  AGED_MS,
  FAILED_MS,
  type Handled,
  impatient,
  type Message,
  type Queue,
  type Workable,
} from "./queue.ts";

interface Waiting {
  readonly message: Message;
  /** When it may be handed out. */
  readonly readyMs: number;
}

interface Worker extends Workable {
  readonly handle: (message: Message) => Promise<Handled>;
  inHand: number;
  onFree: () => void;
}

/** A queue within this process, for one that is alone or finds its work in the ledger. */
export function memoryQueue({ nowMs = () => Date.now() }: { nowMs?: () => number } = {}): Queue {
  const stock = openStock(nowMs);
  const workers = new Set<Worker>();
  let timer: NodeJS.Timeout | undefined;

  const hand = async (worker: Worker, message: Message) => {
    worker.inHand += 1;
    const handled = await worker.handle(message).catch(() => ({ againMs: FAILED_MS }));
    worker.inHand -= 1;
    if (handled !== undefined) stock.add(message, handled.againMs);
    worker.onFree();
    pump();
  };
  const pump = () => {
    const nextMs = stock.ripen();
    clearTimeout(timer);
    if (workers.size > 0 && nextMs !== undefined) timer = setTimeout(pump, nextMs + 1);
    for (const worker of workers) {
      while (worker.inHand < worker.concurrency && !worker.signal.aborted) {
        const message = stock.take();
        if (message === undefined) return;
        void hand(worker, message);
      }
    }
  };
  return {
    async send(messages) {
      for (const message of messages) stock.add(message, message.delayMs ?? 0);
      pump();
    },
    async work(handle, workable) {
      const worker: Worker = { handle, ...workable, inHand: 0, onFree: () => {} };
      workers.add(worker);
      pump();
      await new Promise<void>((resolve) => {
        worker.onFree = () => {
          if (worker.signal.aborted && worker.inHand === 0) resolve();
        };
        worker.signal.addEventListener("abort", worker.onFree);
        worker.onFree();
      });
      worker.signal.removeEventListener("abort", worker.onFree);
      workers.delete(worker);
      pump();
    },
    async counts() {
      return stock.counts();
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
    },
  };
}

/** All messages that wait. */
function openStock(nowMs: () => number) {
  const ready = openReady(nowMs);
  const delayed = new Map<string, Waiting>();
  return {
    take: ready.take,
    add(message: Message, delayMs: number) {
      if (ready.has(message) || delayed.has(message.id)) return;
      const waiting = { message, readyMs: nowMs() + delayMs };
      if (delayMs > 0) delayed.set(message.id, waiting);
      else ready.add(waiting);
    },
    /** Lets go of what was delayed for long enough; gives the milliseconds until the next is. */
    ripen(): number | undefined {
      for (const each of delayed.values()) {
        if (each.readyMs > nowMs()) continue;
        delayed.delete(each.message.id);
        ready.add(each);
      }
      const left = [...delayed.values()].map(({ readyMs }) => readyMs - nowMs());
      return left.length === 0 ? undefined : Math.min(...left);
    },
    counts() {
      const counts = ready.counts();
      for (const { message } of delayed.values()) counts[message.lane] += 1;
      return counts;
    },
  };
}

/** Messages that may be handed out, by lane in the order in which they became so. */
function openReady(nowMs: () => number) {
  const byLane = new Map(LANES.map((lane) => [lane, new Map<string, Waiting>()] as const));
  const of = (lane: Lane) => byLane.get(lane) ?? new Map<string, Waiting>();
  let agedMs = Number.NEGATIVE_INFINITY;
  const nextLane = () => {
    const firsts = LANES.flatMap((lane) => {
      const [first] = of(lane).values();
      return first === undefined ? [] : [[lane, nowMs() - first.readyMs] as const];
    });
    const aged = nowMs() - agedMs < AGED_MS ? undefined : impatient(new Map(firsts));
    if (aged !== undefined) agedMs = nowMs();
    return aged ?? firsts[0]?.[0];
  };
  return {
    has: ({ lane, id }: Message) => of(lane).has(id),
    add: (each: Waiting) => of(each.message.lane).set(each.message.id, each),
    take(): Message | undefined {
      const lane = nextLane();
      const [first] = lane === undefined ? [] : of(lane).values();
      if (first !== undefined) of(first.message.lane).delete(first.message.id);
      return first?.message;
    },
    counts: () =>
      Object.fromEntries(LANES.map((lane) => [lane, of(lane).size])) as Record<Lane, number>,
  };
}
