import type { Wired } from "../../src/pipeline.ts";
import { around } from "../pipeline/calls.ts";
import { CDN_CALLS, callsThat, LEDGER_CALLS, STORE_CALLS } from "../pipeline/effects.ts";
import type { Dice } from "./dice.ts";
import { alive, requestsTo } from "./requests.ts";
import type { Turns } from "./turns.ts";
import type { Reader, Witness } from "./witness.ts";

/** Whoever wants turns. */
export interface Taker {
  /** The turn before which it gets none. */
  resumesAt: number;
  /** The moment (ms) before which it gets none, since it sleeps. */
  readonly wakesMs?: number;
}

/** One run of a publisher. */
export interface Racer extends Reader, Taker {
  isDead: boolean;
}

/** What is counted of requests. */
export interface RequestSums {
  /** The store answered 412: the object was not the one expected. */
  refused: number;
  /** Arrived when nobody waited for them any more. */
  late: number;
}

/** What all publishers of a race share. */
export interface Track {
  readonly turns: Turns<Taker>;
  readonly dice: Dice;
  readonly witness: Witness;
  /** Share of the writes whose answer does not come in time: the request arrives later. */
  readonly lateShare: number;
  /** Share of the writes between whose signing and arrival the process is suspended. */
  readonly slowShare: number;
  readonly sums: RequestSums;
  /** Of the rows at this moment. */
  readonly position: () => number;
  /** A turn that is still far. */
  readonly later: () => number;
  /** Share of the runs, by their names, that are suspended when they have read their rows. */
  readonly staleShare: (name: string) => number;
}

/** How long a request may be under way in S3's own words, see `s3-store.ts`. */
export const LATE_MS = 30 * 60_000;

/** Share of the calls without effects on others that have a turn of their own. */
const GLANCES = 0.1;
/** Builds do not list, and an iterable has no turn. */
const READS = callsThat(STORE_CALLS, "read").filter((name) => name !== "list");

/** The same pipeline, each of whose calls waits for its turn. */
export function onTrack(wired: Wired, racer: Racer, track: Track): Wired {
  const take = <T>(call: () => T | Promise<T>): Promise<T> =>
    track.turns.take(racer, () => alive(racer, call));
  const wrap = (_: string, call: () => unknown) => take(call);
  const glance = (_: string, call: () => unknown) =>
    track.dice.chance(GLANCES) ? take(call) : track.turns.run(() => alive(racer, call));
  return {
    ...wired,
    source: {
      ...wired.source,
      read: (now) =>
        take(() => {
          racer.position = track.position();
          if (track.dice.chance(track.staleShare(racer.name))) racer.resumesAt = track.later();
          return wired.source.read(now);
        }),
    },
    ledger: around(
      around(wired.ledger, callsThat(LEDGER_CALLS, "effect"), wrap),
      callsThat(LEDGER_CALLS, "plan", "read"),
      glance,
    ),
    cdn: around(wired.cdn, callsThat(CDN_CALLS, "effect", "read"), wrap),
    store: {
      ...around(wired.store, READS, glance),
      ...requestsTo(wired.store, racer, track),
      lateWritesMs: LATE_MS,
    },
    sleep: (ms) => {
      const sleeper = { ...racer, wakesMs: Date.now() + ms };
      return track.turns.take(sleeper, () => alive(racer, () => {}));
    },
  };
}
