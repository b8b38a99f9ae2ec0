import { randomUUID } from "node:crypto";
import { PipelineError } from "../error.ts";
import { type CoverReport, readReport } from "../invalidate/cover-report.ts";
import type { OutboxCount } from "../invalidate/outbox.ts";
import { spentUsd } from "../invalidate/terms.ts";
import { drain } from "./invalidate.ts";
import type { Wired } from "./run.ts";

/** A batch that the CDN has not completed. */
export interface OpenBatch {
  /** CloudFront's CallerReference. */
  readonly id: string;
  readonly state: "waiting" | "in progress" | "refused";
  readonly items: number;
  /** USD when the month's free items are used up. */
  readonly usd: number;
  /** µs; when it was frozen; undefined for what an older release left or was urgent. */
  readonly since: number | undefined;
  readonly invalidation: string | undefined;
  readonly refusal: string | undefined;
}

/** What was frozen at once, why, and when that was done. */
export interface KeptCover {
  readonly id: number;
  /** µs */
  readonly madeAt: number;
  readonly doneAt: number | undefined;
  readonly items: number;
  readonly cover: CoverReport;
}

/** How the outbox stands. */
export interface Invalidations {
  /** Changes that no batch is about yet: the next run plans them. */
  readonly waiting: number;
  readonly batches: readonly OpenBatch[];
  /** Newest first; those that are done are kept for 30 days. */
  readonly covers: readonly KeptCover[];
  /** Items accepted this month (UTC), and what they cost the account if nobody else asked for any. */
  readonly month: { readonly items: number; readonly usd: number };
}

/** How the outbox stands at a moment (µs). */
export async function invalidationsOf(
  { ledger, terms }: Pick<Wired, "ledger" | "terms">,
  now: number,
): Promise<Invalidations> {
  const covers = await ledger.covers("all");
  const madeAt = new Map(covers.map((each) => [each.id, each.madeAt]));
  const batches = (await ledger.outbox()).map((batch): OpenBatch => {
    const { id, items, sentAt, invalidation, refusal, cover } = batch;
    const state = refusal ? "refused" : sentAt === undefined ? "waiting" : "in progress";
    const usd = items.length * terms.itemUsd;
    const since = cover === undefined ? undefined : madeAt.get(cover);
    return { id, state, items: items.length, usd, since, invalidation, refusal };
  });
  const { changes, items: left } = await ledger.waiting();
  const items = await ledger.spentItems(now);
  return {
    waiting: changes + left.length,
    batches,
    covers: covers.map(({ report, ...each }) => ({ ...each, cover: readReport(report) })),
    month: { items, usd: spentUsd(terms, items) },
  };
}

/** As long as a run's. */
const LEASE_MS = 30_000;

/**
 * Plans what waits and sends it together with what is left, without a build. Batches that were
 * refused are sent under new ids.
 * @throws PipelineError `run_conflict` while a run publishes, which sends them itself; the CDN's
 */
export async function retryInvalidations(
  wired: Wired,
  options: { readonly signal: AbortSignal; readonly now?: () => number },
): Promise<OutboxCount> {
  const { ledger, cdn, terms } = wired;
  if (!cdn.isCaching) throw withoutCdn();
  const { signal, now = () => Date.now() * 1000 } = options;
  const [run, release] = [randomUUID(), await ledger.release()];
  const claim = () => ledger.claim(run, { release, nowMs: Date.now(), leaseMs: LEASE_MS });
  await claim();
  try {
    await ledger.serveBy(cdn.hasTags ? cdn.name : "");
    await ledger.renew((await ledger.outbox()).map(({ id }) => id));
    const sleep = async (ms: number) => {
      await wired.sleep(ms);
      await claim();
    };
    return await drain(wired, { terms, run, signal, now, sleep });
  } finally {
    await ledger.yieldClaim(run);
  }
}

function withoutCdn(): PipelineError {
  return new PipelineError("config_invalid", "There is no CDN to tell anything.", {
    hint: "Set CLOUDFRONT_DISTRIBUTION_ID.",
  });
}
