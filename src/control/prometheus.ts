/** One metric with all its samples. */
export interface Metric {
  /** `nightbake_jobs`; a counter's ends in `_total`, seconds are `_seconds`. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** What stands behind the metric's name: `_sum`, `_count`, `_bucket`. */
  readonly suffix?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Content-Type of {@link metricsText}. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Metrics in Prometheus' text format ("Exposition formats"). */
export function metricsText(metrics: readonly Metric[]): string {
  return metrics
    .flatMap(({ name, help, type, samples }) => [
      `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(
        (each) => `${name}${each.suffix ?? ""}${labelsText(each.labels)} ${each.value}`,
      ),
    ])
    .map((line) => `${line}\n`)
    .join("");
}

function labelsText(labels: Sample["labels"] = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

/** Counts by labels, e.g. requests by route and status. */
export interface Counter {
  add(labels: Readonly<Record<string, string>>, by?: number): void;
  samples(): readonly Sample[];
}

export function counter(): Counter {
  const counts = new Map<string, Sample>();
  return {
    add(labels, by = 1) {
      const key = labelsText(labels);
      counts.set(key, { labels, value: (counts.get(key)?.value ?? 0) + by });
    },
    samples: () => [...counts.values()],
  };
}

/** How long things took, by labels, in seconds. */
export interface Histogram {
  observe(labels: Readonly<Record<string, string>>, seconds: number): void;
  samples(): readonly Sample[];
}

/** `bounds` in rising order. */
export function histogram(bounds: readonly number[]): Histogram {
  const buckets = counter();
  const sums = counter();
  return {
    observe(labels, seconds) {
      for (const bound of bounds) {
        buckets.add({ ...labels, le: String(bound) }, seconds <= bound ? 1 : 0);
      }
      buckets.add({ ...labels, le: "+Inf" });
      sums.add(labels, seconds);
    },
    samples() {
      const all = buckets.samples();
      const counts = all.filter(({ labels }) => labels?.["le"] === "+Inf");
      return [
        ...all.map((each) => ({ ...each, suffix: "_bucket" })),
        ...sums.samples().map((each) => ({ ...each, suffix: "_sum" })),
        ...counts.map(({ labels: { le: _, ...labels } = {}, value }) => ({
          suffix: "_count",
          labels,
          value,
        })),
      ];
    },
  };
}
