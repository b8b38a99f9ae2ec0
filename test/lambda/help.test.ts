import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clock, HAND_ON_MS } from "../../src/lambda/hand-on.ts";
import { helpRecords } from "../../src/lambda/help.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openMysqlLedger } from "../../src/ledger/mysql.ts";
import type { Wired } from "../../src/pipeline.ts";
import { differences, openSmall } from "../pipeline/small-site.ts";
import { smallWorld } from "../pipeline/world.ts";
import { type Fauxqs, startFauxqs } from "../services/fauxqs.ts";
import { describeWith } from "../services/requires.ts";
import { sharedMariaDb } from "../services/shared.ts";
import { CALM, eventOf, openFunctions } from "./functions.ts";

const CALL = '{"is":"help"}';

let server: Fauxqs;
beforeAll(async () => {
  server = await startFauxqs();
});
afterAll(() => server[Symbol.asyncDispose]());

/** The pipeline of a function: it really waits, and its puts take a while. */
function slow(wired: Wired, putMs = 3): Wired {
  const put: Wired["store"]["put"] = async (...of) => {
    await sleep(putMs);
    return await wired.store.put(...of);
  };
  return { ...wired, store: { ...wired.store, put }, sleep: (ms) => sleep(Math.min(ms, 20)) };
}

/** A run with helpers; each process has the ledger open for itself. */
async function publishTogether(open: (ledger: Ledger) => Promise<Ledger>): Promise<void> {
  await using world = await smallWorld(400);
  const { site, store } = world;
  await world.with(async (own) => {
    await using parts = new AsyncDisposableStack();
    const wired = { ...own, ledger: await open(own.ledger) };
    await using functions = openFunctions(server, wired, 3);
    const coordinator = await functions.environment(slow(wired));
    const { job } = await functions.jobs.submit({ work: { is: "build" }, lane: "nightly" });
    let isOver = false;
    let calls = 0;
    const cut = { times: 0 };
    const helpers = [0, 1, 2].map(async (number) => {
      const opened = parts.use(await openSmall(site, { ledger: "ledger.db", store }));
      const ledger = await open(opened.ledger);
      const environment = await functions.environment(slow({ ...opened, ledger }));
      while (!isOver) {
        // The first one has time for one shard.
        const clock = number === 0 ? afterOneShard(environment.wired, cut) : { wired: undefined };
        const helping = { ...environment, wired: clock.wired ?? environment.wired };
        if (await functions.invoke("help", helping, { ...CALM, ...clock })) calls += 1;
        await sleep(10);
      }
    });

    await functions.invoke("nightly", coordinator);
    isOver = true;
    await Promise.all(helpers);

    expect(await functions.jobs.job(job.id)).toMatchObject({ state: "done", attempts: 1 });
    world.now = Date.now() * 1000;
    expect(differences(world.shown(), await world.scratch())).toEqual([]);
    const helped = functions.told.filter(({ event }) => event === "helped");
    expect(helped.length).toBeGreaterThanOrEqual(3);
    expect(helped.reduce((sum, { shards }) => sum + Number(shards), 0)).toBeGreaterThan(3);
    const wrong = functions.told.filter(({ event }) => event === "trouble" || event === "refused");
    expect(wrong).toEqual([]);
    // Each phase calls three; who was cut off called one more each time.
    expect(cut.times).toBeGreaterThan(0);
    expect(calls).toBeGreaterThan(3);
    expect(calls + functions.queues.waiting("help").length).toBeLessThanOrEqual(9 + cut.times);
  });
}

const TOLD = "a run calls helpers, who hand on when their time is over; all that is live is exact";

test(TOLD, () => publishTogether(async (ledger) => ledger));

describeWith("shared-mariadb", "With a ledger on MariaDB", () => {
  test(TOLD, async () => {
    const url = await (await sharedMariaDb()).createDatabase();
    await using ledgers = new AsyncDisposableStack();
    await publishTogether(async () => ledgers.use(await openMysqlLedger(url)));
  });
});

/** A clock that is over as soon as a shard was finished. */
function afterOneShard(wired: Wired, cut: { times: number }): Partial<Clock> & { wired: Wired } {
  let ring = () => {};
  const alarm: Clock["alarm"] = (ms, whenOver) => {
    expect(ms).toBe(900_000 - HAND_ON_MS);
    ring = whenOver;
    return () => {};
  };
  const within: Wired["ledger"]["within"] = (taken) => {
    cut.times += 1;
    ring();
    return wired.ledger.within(taken);
  };
  return { alarm, wired: { ...wired, ledger: { ...wired.ledger, within } } };
}

test("who is not needed goes at once, and what is no call is refused", async () => {
  await using world = await smallWorld(1);
  await world.with(async (wired) => {
    await using functions = openFunctions(server, wired);
    const environment = await functions.environment(wired);

    const event = eventOf(CALL, '{"is":"s3cret"}', CALL, "");
    const answer = await helpRecords(environment, event, functions.invocation());

    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual([
      ...["message-1", "message-3"],
    ]);
    expect(functions.told.map(({ event }) => event)).toEqual(["refused", "refused"]);
    expect(JSON.stringify(functions.told)).not.toContain("s3cret");
    expect(functions.queues.waiting("help")).toEqual([]);
    // A run that has nothing to share just now is not even looked at.
    const busy = {
      ...wired.ledger,
      crew: async () => ({ run: "1", brief: "{}" }),
      countShards: async () => ({ open: 0, held: 2 }),
    };
    const late = { ...environment, wired: { ...wired, ledger: busy } };
    await helpRecords(late, eventOf(CALL), functions.invocation());
    expect(functions.told).toHaveLength(2);
  });
});
