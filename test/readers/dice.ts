/** Throws dice: the same seed throws the same. */
export interface Dice {
  /** A whole number from 0 to `sides - 1`. */
  roll(sides: number): number;
  /** True once in so many throws. */
  isOne(of: number): boolean;
}

/** Marsaglia's xorshift of 32 bits. */
export function dice(seed: number): Dice {
  let state = (Math.imul(seed, 2_654_435_761) ^ 0x9e_37_79_b9) | 1;
  const roll = (sides: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % sides;
  };
  return { roll, isOne: (of) => roll(of) === 0 };
}
