import { describe, expect } from "vitest";
import type { Ledger, TakenShard } from "../../src/ledger/ledger.ts";
import { article, livePage, step } from "./fixtures.ts";
import type { LedgerTest } from "./ledger-contract.ts";

const RUN = "0b3c1f2e-run";
const NOW = 1_000_000;
const LEASE = { nowMs: NOW, leaseMs: 10_000 };

/** A run that has claimed and let others help it, with so many shards of two pages. */
async function begin(ledger: Ledger, shards: number): Promise<void> {
  await ledger.claim(RUN, { release: 0, nowMs: NOW, leaseMs: 30_000 });
  await ledger.openCrew(RUN, "{}");
  await ledger.cutShards(
    RUN,
    Array.from({ length: shards }, (_, at) => shardOf(at)),
  );
}

function shardOf(at: number) {
  const after = at === 0 ? undefined : article(2 * at).key;
  return { phase: "new", kind: "article", after, upTo: article(2 * at + 2).key } as const;
}

async function take(ledger: Ledger, holder: string, nowMs = NOW): Promise<TakenShard> {
  const taken = await ledger.takeShard(RUN, { ...LEASE, holder, nowMs });
  if (taken === undefined) throw new Error("There is no shard to take.");
  return taken;
}

export function describeShards(test: LedgerTest): void {
  describe("shards of a run", () => {
    test("are each taken by one, whoever asks", async (ledger, place) => {
      await begin(ledger, 6);
      await using other = await place.open();
      const ask = (by: Ledger, holder: string) => by.takeShard(RUN, { ...LEASE, holder });

      const asked = ["a", "b", "c", "d", "e", "f", "g", "h"].map((holder, at) =>
        ask(at % 2 === 0 ? ledger : other, holder),
      );
      const taken = (await Promise.all(asked)).filter((each) => each !== undefined);
      for (;;) {
        const more = await ask(other, `later ${taken.length}`);
        if (more === undefined) break;
        taken.push(more);
      }

      expect(taken.map(({ number }) => number).sort()).toEqual([1, 2, 3, 4, 5, 6]);
      const [first] = taken.filter(({ number }) => number === 1);
      expect(first).toMatchObject({ run: RUN, phase: "new", kind: "article", after: undefined });
      expect(await ledger.countShards(RUN, NOW)).toEqual({ open: 0, held: 6 });
    });

    test("are another's when their time is over, and what the first one writes is refused", async (ledger) => {
      await begin(ledger, 1);
      await ledger.stage(RUN, [step(article(1)), step(article(2))]);
      const first = await take(ledger, "first");
      await ledger.within(first).confirm(RUN, [livePage(article(1))]);
      const later = NOW + LEASE.leaseMs + 1;
      const second = await take(ledger, "second", later);

      const refused = { code: "run_conflict", at: { shard: "1" } };
      const late = ledger.within(first);
      await expect(late.confirm(RUN, [livePage(article(2))])).rejects.toMatchObject(refused);
      await expect(late.intend(RUN, [livePage(article(2))], [])).rejects.toMatchObject(refused);
      await expect(ledger.keepShard(first, LEASE)).rejects.toMatchObject(refused);
      await expect(ledger.finishShard(first, Buffer.from("1"))).rejects.toMatchObject(refused);
      await ledger.leaveShard(first);

      expect(await ledger.staged(RUN, { limit: 9 })).toMatchObject([article(2)]);
      await ledger.within(second).confirm(RUN, [livePage(article(2))]);
      await ledger.finishShard(second, Buffer.from("2"));
      expect([...(await ledger.doneShards(RUN, 9))]).toEqual([[1, Buffer.from("2")]]);
    });

    test("have one mark, which stays", async (ledger) => {
      await begin(ledger, 2);
      const taken = await take(ledger, "a");
      await ledger.finishShard(taken, Buffer.from("done"));

      const again = ledger.finishShard(taken, Buffer.from("again"));

      await expect(again).rejects.toMatchObject({ code: "run_conflict" });
      const confirm = ledger.within(taken).confirm(RUN, [livePage()]);
      await expect(confirm).rejects.toMatchObject({ code: "run_conflict" });
      expect(await ledger.countShards(RUN, NOW)).toEqual({ open: 1, held: 0 });
      expect([...(await ledger.doneShards(RUN, 9)).values()]).toEqual([Buffer.from("done")]);
      await ledger.dropShards(RUN, [taken.number]);
      expect((await ledger.doneShards(RUN, 9)).size).toBe(0);
    });

    test("are kept for longer, and handed back", async (ledger) => {
      await begin(ledger, 1);
      const taken = await take(ledger, "a");

      const kept = await ledger.keepShard(taken, { ...LEASE, nowMs: NOW + 9_000 });

      expect(kept).toEqual({ shardMs: NOW + 19_000, runMs: NOW + 30_000 });
      expect(
        await ledger.takeShard(RUN, { ...LEASE, holder: "b", nowMs: NOW + 15_000 }),
      ).toBeUndefined();
      await ledger.leaveShard(taken);
      expect(await take(ledger, "b", NOW + 15_000)).toMatchObject({ number: 1, holder: "b" });
    });

    test("are taken only while the run has its claim and does not pause", async (ledger) => {
      await begin(ledger, 2);
      const taken = await take(ledger, "a");
      await ledger.pauseCrew(RUN, true);
      expect(await ledger.takeShard(RUN, { ...LEASE, holder: "b" })).toBeUndefined();
      await ledger.pauseCrew(RUN, false);
      const over = { ...LEASE, nowMs: NOW + 30_000 };

      expect(await ledger.crew(NOW)).toEqual({ run: RUN, brief: "{}" });
      expect(await ledger.crew(over.nowMs)).toBeUndefined();
      expect(await ledger.takeShard(RUN, { ...over, holder: "b" })).toBeUndefined();
      await expect(ledger.keepShard(taken, over)).rejects.toMatchObject({ code: "run_conflict" });
    });

    test("are nobody's any more when the run takes them back, but for those with a mark", async (ledger) => {
      await begin(ledger, 2);
      const [done, slow] = [await take(ledger, "a"), await take(ledger, "b")];
      await ledger.finishShard(done, Buffer.from("done"));

      await ledger.reclaimShards(RUN);

      const late = ledger.within(slow).confirm(RUN, [livePage()]);
      await expect(late).rejects.toMatchObject({ at: { shard: String(slow.number) } });
      expect((await ledger.doneShards(RUN, 9)).size).toBe(1);
      expect(await take(ledger, "c")).toMatchObject({ number: slow.number });
    });

    test("go with the run, and what was made from other rows is looked at again", async (ledger) => {
      await begin(ledger, 2);
      const taken = await take(ledger, "a");
      await ledger.within(taken).readAhead(RUN, [article(1), article(2)]);
      await ledger.readAhead("another", [article(3)]);

      await ledger.finish(RUN, { id: 1, startedAt: 1, finishedAt: 2, report: "{}" });

      expect(await ledger.rebuilt(undefined, 9)).toMatchObject([article(1), article(2)]);
      expect(await ledger.crew(NOW)).toBeUndefined();
      expect(await ledger.countShards(RUN, NOW)).toEqual({ open: 0, held: 0 });
      const late = ledger.within(taken).confirm(RUN, [livePage()]);
      await expect(late).rejects.toMatchObject({ code: "run_conflict" });
      await ledger.forgetRebuilt(0);
      expect((await ledger.rebuilt(undefined, 9)).length).toBe(2);
      await ledger.forgetRebuilt(1);
      expect(await ledger.rebuilt(undefined, 9)).toEqual([]);
    });

    test("go with a run that gives up", async (ledger) => {
      await begin(ledger, 2);
      const taken = await take(ledger, "a");

      await ledger.yieldClaim(RUN);

      const late = ledger.within(taken).confirm(RUN, [livePage()]);
      await expect(late).rejects.toMatchObject({ code: "run_conflict" });
      expect(await ledger.countShards(RUN, NOW)).toEqual({ open: 0, held: 0 });
    });
  });
}
