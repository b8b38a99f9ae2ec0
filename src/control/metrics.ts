import { type Job, type Jobs, LANES } from "../jobs/job.ts";
import type { Queue } from "../jobs/queue.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { counter, histogram, type Metric, metricsText, type Sample } from "./prometheus.ts";
import { within } from "./within.ts";

/** Durations tell of so many of the last jobs of each lane. */
const LAST_JOBS = 100;
/** What does not answer in so long is left out. */
const QUEUE_MS = 1000;
const QUANTILES = [0.5, 0.95, 1];
const BOUNDS = [0.005, 0.02, 0.1, 0.5, 2, 10];

/** What this process counts of its own requests. */
export interface RequestCounts {
  /** One was answered; `route` as declared, so that no one can make up labels. */
  answered(request: { method: string; route: string; status: number; seconds: number }): void;
  streamOpened(who: string): void;
  streamClosed(who: string): void;
  streamsOf(who: string): number;
  eventSent(): void;
  metrics(): readonly Metric[];
}

export function requestCounts(): RequestCounts {
  const requests = counter();
  const durations = histogram(BOUNDS);
  /** By who follows them; each as often as there are streams. */
  const streams: string[] = [];
  let events = 0;
  return {
    answered({ method, route, status, seconds }) {
      requests.add({ method, route, status: String(status) });
      durations.observe({ route }, seconds);
    },
    streamOpened: (who) => void streams.push(who),
    streamClosed: (who) => void streams.splice(streams.indexOf(who), 1),
    streamsOf: (who) => streams.filter((each) => each === who).length,
    eventSent() {
      events += 1;
    },
    metrics: () => [
      {
        name: "nightbake_http_requests_total",
        help: "Requests that this process answered.",
        type: "counter",
        samples: requests.samples(),
      },
      {
        name: "nightbake_http_request_seconds",
        help: "How long its answers took until they began.",
        type: "histogram",
        samples: durations.samples(),
      },
      gauge("nightbake_event_streams", "Streams of events that it has open.", streams.length),
      { ...gauge("nightbake_events_sent_total", "Events that it sent.", events), type: "counter" },
      gauge("process_resident_memory_bytes", "Memory of the process.", process.memoryUsage().rss),
    ],
  };
}

interface MetricSources {
  readonly jobs: Jobs;
  readonly ledger: Pick<Ledger, "releases">;
  readonly queue: Pick<Queue, "counts">;
}

/** All there is to know, as Prometheus reads it. What the ledger says is the same from every clone. */
export async function allMetrics(
  { jobs, ledger, queue }: MetricSources,
  counts: RequestCounts,
): Promise<string> {
  const [states, depths, last, [release]] = await Promise.all([
    jobs.counts(),
    // While it does not answer all else is worth telling.
    within(QUEUE_MS, queue.counts(), {}).catch(() => ({})),
    Promise.all(LANES.map((lane) => jobs.list({ state: "done", lane, limit: LAST_JOBS }))),
    ledger.releases(1),
  ]);
  const done = last.flat();
  return metricsText([
    {
      name: "nightbake_jobs",
      help: "Jobs by lane and state, of those that are kept.",
      type: "gauge",
      samples: states.map(({ lane, state, jobs: value }) => ({ labels: { lane, state }, value })),
    },
    {
      name: "nightbake_queue_messages",
      help: "Messages that wait in the queue, delayed ones too; without Redis those of this process.",
      type: "gauge",
      samples: Object.entries(depths).map(([lane, value]) => ({ labels: { lane }, value })),
    },
    {
      name: "nightbake_job_live_seconds",
      help: "From the first request to the moment at which all was live, of the last jobs.",
      type: "summary",
      samples: durationsOf(done, ({ outcome }) => outcome?.seconds),
    },
    {
      name: "nightbake_run_seconds",
      help: "From start to end of the last jobs that are done.",
      type: "summary",
      samples: durationsOf(done, runSeconds),
    },
    gauge("nightbake_release", "Number of the last release.", release?.id ?? 0),
    gauge(
      "nightbake_release_finished_timestamp_seconds",
      "When it was recorded.",
      (release?.finishedAt ?? 0) / 1e6,
    ),
    ...counts.metrics(),
  ]);
}

function runSeconds({ startedAt, finishedAt }: Job): number | undefined {
  return startedAt === undefined || finishedAt === undefined
    ? undefined
    : (finishedAt - startedAt) / 1e6;
}

/** Quantiles by lane. */
function durationsOf(
  jobs: readonly Job[],
  secondsOf: (job: Job) => number | undefined,
): readonly Sample[] {
  return LANES.flatMap((lane) => {
    const own = jobs.filter((job) => job.lane === lane);
    const sorted = own.flatMap((job) => secondsOf(job) ?? []).sort((a, b) => a - b);
    if (sorted.length === 0) return [];
    const at = (quantile: number) => sorted[Math.ceil(quantile * sorted.length) - 1] ?? 0;
    return QUANTILES.map((quantile) => ({
      labels: { lane, quantile: String(quantile) },
      value: at(quantile),
    }));
  });
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, help, type: "gauge", samples: [{ value }] };
}
