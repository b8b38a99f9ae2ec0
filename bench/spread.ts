/** The value below which a share of the values is; 0.5 for the median. NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** `p50 3.1, p99 7.4 (2.9-8.0)` */
export function percentiles(values: readonly number[], digits = 0): string {
  const [p50, p99, least, most] = [0.5, 0.99, 0, 1].map((share) =>
    quantile(values, share).toFixed(digits),
  );
  return `p50 ${p50}, p99 ${p99} (${least}-${most})`;
}
