/**
 * How many requests to a store may be under way at once, and what led there. A value without a clock:
 * each event gives the next one. It begins low, doubles with every round of answers, is halved when the
 * store asks to slow down, and from there on grows by one a round ("TCP Congestion Control", RFC 5681).
 */
export interface Pace {
  /** The most it ever allows. */
  readonly ceiling: number;
  /** 1 to `ceiling`. */
  readonly limit: number;
  /** Answers towards the next one more, beyond the threshold. */
  readonly answers: number;
  /** Up to here it doubles, beyond it grows by one a round. */
  readonly threshold: number;
  /** How often it was halved. A request tells its own, so that those under way together halve it once. */
  readonly epoch: number;
}

/** S3 splits a prefix into partitions only after load came; a store of any kind takes so many at once. */
const FIRST = 4;

/** The pace towards a store of which nothing is known. */
export function firstPace(ceiling: number): Pace {
  return { ceiling, limit: Math.min(FIRST, ceiling), answers: 0, threshold: ceiling, epoch: 0 };
}

/** The pace after an answer; `isFull` when as many were under way as allowed, else more would not be used. */
export function answered(pace: Pace, { isFull }: { readonly isFull: boolean }): Pace {
  const { limit, threshold, ceiling } = pace;
  if (!isFull || limit === ceiling) return pace;
  const answers = pace.answers + 1;
  if (limit >= threshold && answers < limit) return { ...pace, answers };
  return { ...pace, limit: limit + 1, answers: 0 };
}

/** The pace after a request that the store asked to slow down, or that timed out; it began in `epoch`. */
export function slowed(pace: Pace, { epoch }: Pick<Pace, "epoch">): Pace {
  if (epoch < pace.epoch) return pace;
  const limit = Math.max(1, Math.floor(pace.limit / 2));
  return { ...pace, limit, answers: 0, threshold: limit, epoch: pace.epoch + 1 };
}

/** How many of them builds may take: a quarter, if there are so many, is left to editors. */
export function leftToBuilds({ limit }: Pace): number {
  return limit - Math.floor(limit / 4);
}
