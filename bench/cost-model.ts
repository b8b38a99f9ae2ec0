import { TERMS } from "../src/invalidate/terms.ts";
import { lookPrice, priceOf } from "../src/price.ts";

/** US dollars in us-east-1, before tax; what an account has for nothing is not taken off, but 1,000 items a month. */
export const PRICES = {
  /** S3 Standard, a GB and month (Amazon S3 pricing; not confirmed here). */
  storedGb: 0.023,
  /** Lambda on arm64, a GB and second; a request (AWS Lambda pricing). */
  lambdaGbSecond: 0.0000133334,
  lambdaRequest: 0.2 / 1e6,
  /** A request to a standard queue, up to 64 KB (Amazon SQS pricing). */
  sqsRequest: 0.4 / 1e6,
  /** CloudWatch: a GB of logs taken in, an alarm a month, a metric a month. */
  logGb: 0.5,
  alarm: 0.1,
  metric: 0.3,
  /** A NAT gateway, an hour, and a GB through it; an interface endpoint, an hour and zone. */
  natHour: 0.045,
  natGb: 0.045,
  endpointHour: 0.01,
  /** RDS Proxy, an hour and vCPU of its database. */
  proxyHour: 0.015,
  /** CloudFront in North America and Europe: a request by HTTPS, a GB to readers, a call of a function. */
  request: 1 / 1e6,
  sentGb: 0.085,
  call: 0.1 / 1e6,
} as const;

/** What was measured, or is assumed where the page says so. */
export const ASSUMED = {
  /** Of the corpus' pages, without compression: 016. */
  pageBytes: 8_500,
  /** Of one process, with PUTs of 30 ms at 24 at a time and a ledger at 0.5 ms: docs/reference/scaling.md. */
  pagesASecond: 280,
  /** A scan of 7,000,000 rows with nothing to find, at 1,200,000 pages: 021. */
  scanSecondsAPage: 18 / 1_200_000,
  /** One to find what changed, one to close. */
  scansANight: 2,
  /** serverless.yml: `runMemory` and `helpMemory`, MB; the others have 1,024. */
  runMb: 3_008,
  /** A tick of the schedule, with 1,024 MB. */
  tickSeconds: 0.3,
  /** Items a changed page needs when changes are scattered: 5,855 for 8,529 (011). */
  itemsAPage: 0.69,
  /** The same when they are about one topic, whatever the size: 6 for 45 and for 1,006 (011). */
  itemsTogether: 6,
  /** Places that fetch a page again when its copy is gone: facts of 011. */
  regions: 10,
  nights: 30,
  days: 365 / 12,
  /** `SiteVersionDays` of site.yaml. */
  versionDays: 35,
  /** Queues of the stack, and Lambda's long polls of 20 s at each. */
  queues: 5,
  polls: 5,
  pollSeconds: 20,
  /** Messages of a run: the job, calls to helpers, what goes on. Three requests each. */
  messages: 30,
  /** Alarms and metrics made of logs, of the stack. */
  alarms: 16,
  metrics: 3,
  logGbANight: 0.02,
} as const;

/** What one run costs, US dollars. */
export interface RunCost {
  readonly puts: number;
  /** Of processes, all together. */
  readonly seconds: number;
  readonly putUsd: number;
  readonly lambdaUsd: number;
  readonly refetchUsd: number;
  readonly queueUsd: number;
  readonly totalUsd: number;
}

/** A run at a site of so many pages that puts `changed` of them and tells the CDN `items`, which evict `evicted`. */
export function runCost(
  pages: number,
  { changed, items = 0, evicted = changed }: { changed: number; items?: number; evicted?: number },
): RunCost {
  const { pagesASecond, scanSecondsAPage, scansANight, regions, messages } = ASSUMED;
  const waves = Math.ceil(items / (TERMS.maxItems - TERMS.reservedItems));
  const seconds =
    changed / pagesASecond + scansANight * scanSecondsAPage * pages + waves * TERMS.waveSeconds;
  const putUsd = priceOf({ puts: changed, items: 0 }).usdFrom;
  const lambdaUsd = gbSeconds(ASSUMED.runMb, seconds) * PRICES.lambdaGbSecond;
  const refetchUsd = lookPrice({ objects: evicted, lists: 0, heads: regions }).usd;
  const queueUsd = 3 * messages * PRICES.sqsRequest;
  const totalUsd = putUsd + lambdaUsd + refetchUsd + queueUsd;
  return { puts: changed, seconds, putUsd, lambdaUsd, refetchUsd, queueUsd, totalUsd };
}

function gbSeconds(mb: number, seconds: number): number {
  return (mb / 1024) * seconds;
}

/** A month's items, US dollars. */
export function itemsUsd(items: number): number {
  return priceOf({ puts: 0, items }).usdFrom;
}

/** Items of a night in which `changed` pages change all over the site, and about one topic. */
export function itemsOf(changed: number): {
  readonly scattered: number;
  readonly together: number;
} {
  const scattered = Math.ceil(changed * ASSUMED.itemsAPage);
  return { scattered, together: Math.min(scattered, ASSUMED.itemsTogether) };
}

/** What the pages and their old versions cost to keep for a month, when `replaced` are replaced in it. */
export function storedUsd(pages: number, replaced: number): { now: number; versions: number } {
  const gb = (count: number) => (count * ASSUMED.pageBytes) / 1e9;
  // At any moment there are the versions of the last `versionDays`.
  const old = (replaced * ASSUMED.versionDays) / ASSUMED.days;
  return { now: gb(pages) * PRICES.storedGb, versions: gb(old) * PRICES.storedGb };
}

/** What a stack costs a month while nothing happens, US dollars. */
export function standingUsd(): Readonly<Record<"ticks" | "polling" | "logs" | "alarms", number>> {
  const { days, tickSeconds, queues, polls, pollSeconds, logGbANight, nights } = ASSUMED;
  const minutes = days * 24 * 60;
  const tickUsd = gbSeconds(1024, tickSeconds) * PRICES.lambdaGbSecond + PRICES.lambdaRequest;
  return {
    ticks: minutes * tickUsd,
    polling: ((queues * polls * minutes * 60) / pollSeconds) * PRICES.sqsRequest,
    // A tick says a kilobyte.
    logs: (nights * logGbANight + minutes / 1e6) * PRICES.logGb,
    alarms: ASSUMED.alarms * PRICES.alarm + ASSUMED.metrics * PRICES.metric,
  };
}

/** What looking at the whole store costs in a month, once a week. */
export function verifyUsd(pages: number): number {
  return lookPrice({ objects: pages, lists: 1, heads: 0 }).usd * (ASSUMED.days / 7);
}
