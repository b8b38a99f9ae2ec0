import type { LivePage } from "../ledger/ledger.ts";
import { ASSET_KIND } from "../plan/kinds.ts";
import {
  address,
  decodeKey,
  digestOf,
  hexOf,
  keyName,
  type RecordedRead,
  type Step,
} from "../site.ts";
import type { Made } from "./make.ts";
import type { PlanHeader, PlanLine } from "./plan-file.ts";
import { FORMAT } from "./plan-file.ts";
import { isLive } from "./publish.ts";
import type { Run } from "./run.ts";

/** Hex digits of a read's digest: enough to see that it is another. */
const READ_HEX = 16;

/** What a plan is made from. */
export function headerOf({ wired, options, release, startedAt }: Run): PlanHeader {
  const { only = null, targets = null } = options;
  const prints = printsOf(wired);
  return {
    plan: FORMAT,
    ledger: wired.ledger.id,
    release: release - 1,
    at: startedAt,
    prints,
    only,
    targets,
  };
}

/** Digest of all that makes the site's pages beside rows and content. */
export function printsOf({ site, fingerprint }: Run["wired"]): string {
  return hexOf(digestOf(site.kinds.map((kind) => [kind.name, fingerprint(kind)])));
}

/** The digests of a page's declared reads by name. */
export function readsOf(reads: readonly RecordedRead[]): PlanLine["reads"] {
  return Object.fromEntries(
    reads.map(({ key, digest }) => [key, hexOf(digest).slice(0, READ_HEX)]),
  );
}

/** The line of a step; `made` is missing for deletes, sitemaps and pages that fail. */
export function lineOf(
  run: Run,
  step: Step,
  { made, live }: { readonly made?: Made | undefined; readonly live: LivePage | undefined },
): PlanLine {
  const { kind, key, route, from, start, phase, action, reason } = step;
  const isSame = made !== undefined && isLive(live, step, made.artifact.hash);
  const does = made === undefined && action !== "delete" && phase !== "feeds" ? "fail" : action;
  const done: PlanLine["action"] = isSame ? "unchanged" : does === "check" ? "update" : does;
  return {
    kind,
    key: hexOf(key),
    name: keyName(decodeKey(key)),
    route,
    from: from ?? null,
    start: start === undefined ? null : hexOf(start),
    phase,
    action: done,
    reason,
    reads: readsOf(made?.trace.reads ?? []),
    hash: made === undefined ? null : hexOf(made.artifact.hash),
    bytes: made?.artifact.body.length ?? 0,
    items: itemsOf(run, step, done),
    live: generationOf(run, step, live),
  };
}

/** What is live of a page, so that it shows when another release has put it. */
export function generationOf(
  { context }: Run,
  { reason }: Pick<Step, "reason">,
  live: LivePage | undefined,
): PlanLine["live"] {
  if (live === undefined) return null;
  const isKnown = context.isStoreTrusted && reason !== "unfinished" && live.hash !== undefined;
  return { release: live.release, hash: isKnown && live.hash ? hexOf(live.hash) : null };
}

function itemsOf({ wired }: Run, { kind, route, from }: Step, action: PlanLine["action"]): number {
  if (!wired.cdn.isCaching || (action !== "update" && action !== "delete")) return 0;
  // Nobody asks for an asset that no page names.
  if (kind === ASSET_KIND && action === "delete") return 0;
  return address(from ?? route).invalidations.length;
}
