/** How often one may ask: so many times at once, and as many in each minute. */
export interface Limiter {
  /** Counts one more; gives the seconds to wait when that is too many. */
  take(who: string): number | undefined;
  /** The same, not counted. */
  waitOf(who: string): number | undefined;
}

/** Askers kept in mind; beyond them those go that may ask anything again. */
const MAX_ASKERS = 10_000;

/** A bucket of tokens for each asker, of this process only. `now` in ms. */
export function limiter(perMinute: number, now: () => number): Limiter {
  const perMs = perMinute / 60_000;
  const buckets = new Map<string, { left: number; at: number }>();
  const filled = (who: string) => {
    const at = now();
    const known = buckets.get(who);
    const left = known ? Math.min(perMinute, known.left + (at - known.at) * perMs) : perMinute;
    return { left, at };
  };
  const wait = (left: number) => (left >= 1 ? undefined : Math.ceil((1 - left) / perMs / 1000));
  return {
    take(who) {
      const { left, at } = filled(who);
      if (left < 1) return wait(left);
      if (buckets.size >= MAX_ASKERS) forget();
      buckets.set(who, { left: left - 1, at });
      return undefined;
    },
    waitOf: (who) => wait(filled(who).left),
  };

  /** Full buckets are as good as none; when all are in use the oldest go. */
  function forget(): void {
    for (const who of buckets.keys()) if (filled(who).left >= perMinute) buckets.delete(who);
    for (const who of buckets.keys()) {
      if (buckets.size < MAX_ASKERS) return;
      buckets.delete(who);
    }
  }
}
