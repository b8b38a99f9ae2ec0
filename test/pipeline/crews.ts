import { setTimeout as sleep } from "node:timers/promises";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { type CrewTerms, helpOut, type Wired } from "../../src/pipeline.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import type { Random } from "../services/random.ts";
import { around } from "./calls.ts";
import { openSmall, type SmallSite } from "./small-site.ts";

/** A process that helps: it makes calls at random moments, and stops for ever when it is killed. */
export interface Process extends AsyncDisposable {
  readonly wired: Wired;
  /** None of its calls takes place, or is answered, any more; what is on its way may. */
  kill(): void;
  readonly calls: () => number;
}

export interface ProcessOptions {
  readonly random: Random;
  /** Calls take up to so long, ms. */
  readonly delayMs: number;
  /** One call in a hundred takes so long, ms. */
  readonly stallMs: number;
  /** Dies before this call. */
  readonly diesAt?: number | undefined;
}

/** Opens the pipeline over the world's ledger and store as another process would. */
export async function openProcess(
  site: SmallSite,
  store: ObjectStore,
  { random, delayMs, stallMs, diesAt = Infinity }: ProcessOptions,
): Promise<Process> {
  const wired = await openSmall(site, { ledger: "ledger.db", store });
  let calls = 0;
  let isDead = false;
  const delay = async () => {
    if (random() < 0.01) await sleep(stallMs);
    else if (random() < 0.3) await sleep(random() * delayMs);
  };
  const pass = async (call: () => unknown) => {
    calls += 1;
    if (calls >= diesAt) isDead = true;
    if (isDead) await new Promise(() => {});
    await delay();
    const answer = await call();
    if (isDead) await new Promise(() => {});
    return answer;
  };
  const shaky = (ledger: Ledger): Ledger => ({
    ...around(ledger, methodsOf(ledger), (_, call) => pass(call)),
    within: (taken) => shaky(ledger.within(taken)),
  });
  return {
    wired: {
      ...wired,
      ledger: shaky(wired.ledger),
      store: onTheWay(store, pass, delay),
      sleep: (ms) => sleep(Math.min(ms, 3)),
    },
    kill() {
      isDead = true;
    },
    calls: () => calls,
    [Symbol.asyncDispose]: () => wired[Symbol.asyncDispose](),
  };
}

/** A store at the end of a line: what is asked arrives late, and takes no place after its end, as in S3. */
function onTheWay(
  store: ObjectStore,
  pass: (call: () => unknown) => Promise<unknown>,
  delay: () => Promise<void>,
): ObjectStore {
  const arrive: ObjectStore["put"] = async (artifact, { until, ...write } = {}) => {
    const end = until?.() ?? Infinity;
    await delay();
    if (Date.now() <= end) return await store.put(artifact, write);
    return await arrive(artifact, { until, ...write });
  };
  return {
    ...around(store, ["head", "get"], (_, call) => pass(call)),
    async put(...of) {
      const arrival = arrive(...of);
      // Of a dead process nobody hears of it.
      arrival.catch(() => {});
      return (await pass(() => arrival)) as string | undefined;
    },
  };
}

function methodsOf(ledger: Ledger): readonly (keyof Ledger & string)[] {
  return Object.entries(ledger).flatMap(([name, member]) =>
    typeof member === "function" && name !== "within" ? [name as keyof Ledger & string] : [],
  );
}

/** Helps whoever publishes, until the signal comes; gives how many shards it did. */
export async function help(
  { wired }: Process,
  terms: CrewTerms,
  signal: AbortSignal,
): Promise<number> {
  let shards = 0;
  while (!signal.aborted) {
    shards += (await helpOut(wired, { signal, emit: () => {}, terms })) ?? 0;
    await sleep(1);
  }
  return shards;
}
