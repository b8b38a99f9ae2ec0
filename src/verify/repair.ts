import type { Summary } from "../events.ts";
import { begin, FINISHER } from "../pipeline/begin.ts";
import { doubt } from "../pipeline/doubt.ts";
import { checkHeld } from "../pipeline/hold.ts";
import { openRun } from "../pipeline/open-run.ts";
import type { BuildOptions, Run, Wired } from "../pipeline/run.ts";
import { settle } from "../pipeline/settle.ts";
import { build } from "../pipeline.ts";
import type { Site } from "../site.ts";
import { type VerifyOptions, verify } from "../verify.ts";
import type { Finding, FoundPage } from "./finding.ts";

/** More findings than this are found again, batch by batch, instead of being kept in memory. */
const MOST_KEPT = 1000;

/** Findings to put right, all of them or the first. */
export interface Damage {
  readonly findings: readonly Finding[];
  /** There are more of them. */
  readonly isCut: boolean;
}

export interface RepairOptions
  extends Pick<BuildOptions, "signal" | "emit" | "now">,
    Pick<VerifyOptions, "sample" | "edge"> {}

/** Keeps what there is to put right of the findings of a check. */
export function openDamage(most = MOST_KEPT): {
  readonly add: (findings: readonly Finding[]) => void;
  readonly damage: () => Damage;
} {
  const findings: Finding[] = [];
  let isCut = false;
  return {
    add(some) {
      const own = some.filter(isRepairable);
      const room = most - findings.length;
      isCut ||= own.length > room;
      findings.push(...own.slice(0, room));
    },
    damage: () => ({ findings, isCut }),
  };
}

/** What is foreign stays, and a CDN that does not answer is another's work. */
function isRepairable({ flaw }: Finding): boolean {
  return flaw !== "foreign" && flaw !== "unreachable";
}

/**
 * Puts right what a check found: of the pages whose objects are not as they should be the ledger
 * forgets what is stored, so that the build that follows makes them again; copies that are stale are
 * invalidated again. Killed in between, the next build does the rest. Few pages are built alone, many
 * are found again under the claim and built with all others.
 */
export async function repair(
  wired: Wired,
  damage: Damage,
  options: RepairOptions,
): Promise<Summary> {
  const asked: BuildOptions = {
    ...{ signal: options.signal, emit: options.emit },
    ...(options.now && { now: options.now }),
    allowDeletes: false,
    isDryRun: false,
  };
  const now = (options.now ?? (() => Date.now() * 1000))();
  const targets = await note(wired, damage, { asked, now, options });
  return await build(wired, targets === undefined ? asked : { ...asked, targets });
}

/** Notes in the ledger what is to be put right; gives the routes that are enough to build. */
async function note(
  wired: Wired,
  { findings, isCut }: Damage,
  {
    asked,
    now,
    options,
  }: { readonly asked: BuildOptions; readonly now: number; readonly options: RepairOptions },
): Promise<readonly string[] | undefined> {
  await using begun = await begin(wired, { now, allowDeletes: false });
  checkHeld(begun.notes);
  await using run = openRun(wired, asked, begun);
  await settle(run, begun);
  await run.claim();
  const onFindings = async (some: readonly Finding[]) => {
    await run.goOn();
    await noteAll(run, some.filter(isRepairable));
  };
  if (isCut) {
    await verify(wired, { ...options, onFindings });
    return undefined;
  }
  await onFindings(findings);
  const pages = findings.flatMap(({ page }) => page ?? []);
  const isEnough = !begun.isCutOff && begun.isStoreTrusted && pages.every(isTarget(wired.site));
  if (!isEnough) return undefined;
  await finishNoted(run, pages);
  return pages.map(({ route }) => route);
}

async function noteAll(run: Run, findings: readonly Finding[]): Promise<void> {
  const stale = findings.filter(({ flaw }) => flaw === "stale").flatMap(({ page }) => page ?? []);
  await run.wired.ledger.recall(stale.map(({ route }) => route));
  const broken = findings.filter(({ flaw }) => flaw !== "stale").flatMap(({ page }) => page ?? []);
  const live = await run.wired.ledger.pages(broken);
  // A run that came in between may have taken pages away.
  await doubt(
    run,
    broken.filter(({ route }, at) => live[at]?.route === route),
  );
}

/** What a rebuild looks at when it is told of the route: no assets and no sitemaps. */
function isTarget({ kinds }: Site): (page: FoundPage) => boolean {
  const names = new Set(kinds.filter(({ is }) => is !== "sitemap").map(({ name }) => name));
  return ({ kind }) => names.has(kind);
}

/** The pages wait for the next build that looks at them, and no other has to be looked at for this. */
async function finishNoted(run: Run, pages: readonly FoundPage[]): Promise<void> {
  const { wired, context, release, startedAt } = run;
  const report = JSON.stringify({ release, repaired: pages.length });
  const finished = { id: release, startedAt, finishedAt: startedAt, report };
  await wired.ledger.finish(
    context.run,
    finished,
    { [FINISHER]: context.run },
    {
      pages,
      isAll: false,
    },
  );
  run.isFinished = true;
}
