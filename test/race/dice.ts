import { randomFrom } from "../services/random.ts";

/** What is drawn from random numbers, the same for the same seed. */
export interface Dice {
  chance(share: number): boolean;
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
  pick<T>(of: readonly T[]): T;
}

/** Dice of a seed. */
export function diceFrom(seed: number): Dice {
  const random = randomFrom(seed);
  const between: Dice["between"] = (min, max) => min + Math.floor(random() * (max - min + 1));
  return {
    chance: (share) => random() < share,
    between,
    pick: <T>(of: readonly T[]) => of[between(0, of.length - 1)] as T,
  };
}
