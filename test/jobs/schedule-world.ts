import { setImmediate as nextTurn } from "node:timers/promises";
import { readSchedule, runSchedule, type ScheduleOptions } from "../../src/jobs/schedule.ts";
import type { ScheduleConfig } from "../../src/jobs/schedule-entries.ts";
import type { KeptTick, Ledger } from "../../src/ledger/ledger.ts";
import { SITE } from "../pipeline/small-site.ts";
import type { Dice } from "../race/dice.ts";

const DONE = 2;

/** A clone ended as by kill -9. */
class Killed extends Error {}

/** From one moment to another (ms) a clone was there to look, by a clock that is `aheadMs` ahead. */
export interface Life {
  readonly fromMs: number;
  toMs: number;
  readonly aheadMs: number;
}

/** A clock that stands still while anybody works. */
export function virtualClock(startMs: number) {
  const alarms: { at: number; ring: () => void }[] = [];
  const sleepers = new Set<() => void>();
  let isOver = false;
  const clock = {
    nowMs: startMs,
    /** How many are at work. */
    busy: 0,
    at(ms: number, ring: () => void) {
      alarms.push({ at: Math.max(ms, clock.nowMs), ring });
    },
    /** For who is at work. */
    sleep(ms: number): Promise<void> {
      return new Promise((resolve) => {
        clock.busy -= 1;
        const wake = () => {
          if (!sleepers.delete(wake)) return;
          clock.busy += 1;
          resolve();
        };
        sleepers.add(wake);
        if (isOver) wake();
        else clock.at(clock.nowMs + ms, wake);
      });
    },
    /** Nobody sleeps from now on. */
    end() {
      isOver = true;
      for (const wake of sleepers) wake();
    },
    async runTo(endMs: number) {
      for (;;) {
        while (clock.busy > 0) await nextTurn();
        const next = alarms.reduce((a, b) => (b.at < a.at ? b : a), { at: endMs, ring: () => {} });
        clock.nowMs = next.at;
        if (next.at >= endMs) return;
        alarms.splice(alarms.indexOf(next as (typeof alarms)[number]), 1);
        next.ring();
      }
    },
  };
  return clock;
}

/** What may befall clones, as shares of the calls that ask for a tick's job. */
export interface Fate {
  readonly killed: number;
  readonly suspended: number;
  /** Longest time until a clone that was killed starts again, or one that was suspended goes on. */
  readonly awayMs: number;
  /** Longest time that a job takes. */
  readonly jobMs: number;
}

export interface AskedTick extends KeptTick {
  readonly askedMs: number;
}

export interface World {
  readonly lives: readonly Life[];
  /** Ticks in the order in which they were asked for, and when that was. */
  readonly asked: readonly AskedTick[];
  /** When jobs ended, ms, by id. */
  readonly ends: ReadonlyMap<number, number>;
}

/**
 * Clones that run a schedule on ledgers of their own connection to one place, from one moment to
 * another, while they are killed and suspended around each request for a job.
 */
export async function runClones(
  of: {
    readonly config: ScheduleConfig;
    readonly ledgers: readonly Ledger[];
    readonly dice: Dice;
    readonly fate: Fate;
  },
  fromMs: number,
  toMs: number,
): Promise<World> {
  const { config, ledgers, dice, fate } = of;
  const clock = virtualClock(fromMs);
  const lives: Life[] = [];
  const asked: AskedTick[] = [];
  const ends = new Map<number, number>();
  const stop = new AbortController();
  const clones: Promise<void>[] = [];
  let failure: unknown;

  /** Calls of a clone, which may be its last. */
  const perilous = (ledger: Ledger, life: Life, aheadMs: number) => {
    let current = life;
    const tick: Ledger["tick"] = async (fresh, request, decide) => {
      if (dice.chance(fate.suspended)) {
        current.toMs = clock.nowMs;
        await clock.sleep(dice.between(1, fate.awayMs));
        if (stop.signal.aborted) throw new Killed();
        current = { fromMs: clock.nowMs, toMs: Number.POSITIVE_INFINITY, aheadMs };
        lives.push(current);
      }
      const death = dice.chance(fate.killed) ? dice.pick(["before", "within", "after"]) : undefined;
      const die = (when: typeof death) => {
        if (when !== death) return;
        current.toMs = clock.nowMs;
        throw new Killed();
      };
      die("before");
      const kept = await ledger.tick(fresh, request, (known) => {
        die("within");
        return decide(known);
      });
      if (kept !== undefined) {
        asked.push({ ...kept, askedMs: clock.nowMs });
        if (!kept.isJoined) endLater(ledger, kept.job ?? 0);
      }
      die("after");
      return kept;
    };
    return new Proxy(ledger, {
      get: (target, name, self) => (name === "tick" ? tick : Reflect.get(target, name, self)),
    });
  };

  const endLater = (ledger: Ledger, id: number) => {
    const endMs = clock.nowMs + dice.between(1, fate.jobMs);
    ends.set(id, endMs);
    clock.at(endMs, async () => {
      clock.busy += 1;
      await ledger.changeJob(id, (job) => ({
        ...(job && { job: { ...job, state: DONE, finishedAt: endMs * 1000 } }),
        result: 0,
      }));
      clock.busy -= 1;
    });
  };

  const live = async (ledger: Ledger): Promise<void> => {
    while (!stop.signal.aborted) {
      const aheadMs = dice.between(-2000, 2000);
      const life = { fromMs: clock.nowMs, toMs: Number.POSITIVE_INFINITY, aheadMs };
      lives.push(life);
      const now = () => clock.nowMs + aheadMs;
      const options: ScheduleOptions = {
        signal: stop.signal,
        emit: () => undefined,
        sleep: clock.sleep,
        now,
      };
      const on = {
        ledger: perilous(ledger, life, aheadMs),
        schedule: readSchedule(config, now()),
        site: SITE,
      };
      try {
        await runSchedule(on, options);
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        await clock.sleep(dice.between(1, fate.awayMs));
      }
    }
  };

  for (const ledger of ledgers) {
    clock.busy += 1;
    clones.push(
      live(ledger).catch((error: unknown) => {
        // Nobody else would hear of it before the clones are stopped.
        failure ??= error;
        clock.busy = Number.NEGATIVE_INFINITY;
      }),
    );
  }
  await clock.runTo(toMs);
  stop.abort();
  clock.end();
  await Promise.all(clones);
  if (failure !== undefined) throw failure;
  return { lives, asked, ends };
}
