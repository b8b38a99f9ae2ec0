import { vi } from "vitest";
import type { Dice } from "./dice.ts";
import type { Edits } from "./edits.ts";
import type { Racer, Taker, Track } from "./track.ts";
import type { Turns } from "./turns.ts";

/** What happens between two turns, as shares of them. */
const SHARES = {
  edit: 0.02,
  suspend: 0.004,
  jump: 0.003,
  kill: 0.0005,
};

/** The most time between two turns, so that claims end and a run of some hundred turns holds one. */
const STEP_MS = 60;

/** A race as who leads it sees it. */
export interface Led {
  readonly turns: Turns<Taker>;
  readonly dice: Dice;
  readonly edits: Edits;
  readonly track: Pick<Track, "later">;
  /** Rows that editors changed since the last rebuild that ended well. */
  changed: ReadonlySet<string>;
  /** Turns so far. */
  at: number;
  isOver: boolean;
  readonly sums: { killed: number; edits: number };
}

/**
 * Chooses what happens next until it is time to end; then lets all come to their end.
 * @param isOver asked with the turns so far
 */
export async function lead(race: Led, isOver: (turns: number) => boolean): Promise<void> {
  const { dice } = race;
  for (; ; race.at += 1) {
    race.isOver ||= isOver(race.at);
    const waiting = await race.turns.waiting();
    const racers = waiting.flatMap(({ who }) => (isRacer(who) ? [who] : []));
    if (race.isOver && racers.length === 0) return;
    pass(dice.between(0, STEP_MS));
    if (!race.isOver) disturb(race, racers);
    const ready = waiting.filter(({ who }) => isReady(race, who));
    if (ready.length > 0) dice.pick(ready).go();
  }
}

/** So much time (ms) passes. */
export function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

function isReady({ isOver, at }: Led, { resumesAt, wakesMs = 0 }: Taker): boolean {
  return wakesMs <= Date.now() && (isOver || resumesAt <= at);
}

function isRacer(who: Taker): who is Racer {
  return "isDead" in who;
}

function disturb(race: Led, racers: readonly Racer[]): void {
  const { dice, sums } = race;
  if (dice.chance(SHARES.edit)) {
    race.changed = new Set([...race.changed, ...race.edits.make()]);
    sums.edits += 1;
  }
  if (racers.length === 0) return;
  const racer = dice.pick(racers);
  if (dice.chance(SHARES.suspend)) racer.resumesAt = race.track.later();
  // Whoever waits was suspended for so long, and a claim may have ended.
  if (dice.chance(SHARES.jump)) pass(dice.between(1, 120) * 1000);
  if (dice.chance(SHARES.kill) && !racer.isDead) {
    racer.isDead = true;
    sums.killed += 1;
  }
}
