import { PipelineError } from "../../src/error.ts";
import type { Wired } from "../../src/pipeline.ts";
import type { CacheCdn } from "../pipeline/cache-cdn.ts";
import { bake, openSmall, type SmallSite } from "../pipeline/small-site.ts";
import type { Course } from "./course.ts";
import type { Led } from "./lead.ts";
import { onTrack, type Racer, type RequestSums, type Track } from "./track.ts";

/** What was counted of runs, and of what they asked for. */
export interface RunSums extends RequestSums {
  edits: number;
  runs: number;
  releases: number;
  killed: number;
  /** Of runs that ended with an error. */
  readonly codes: Record<string, number>;
}

/** One race under way. */
export interface Race extends Led {
  readonly site: SmallSite;
  readonly course: Course;
  readonly cdn: CacheCdn;
  readonly track: Track;
  readonly sums: RunSums;
}

/** `retry` has old data: it is often held up between what it reads and what it writes. */
export const PUBLISHERS = ["build", "rebuild", "retry", "build"] as const;
type Publisher = (typeof PUBLISHERS)[number];

/** Errors with which a run may end because of the others. */
const EXPECTED = new Set(["run_conflict", "store_conflict", "store_unavailable"]);

/** The most turns that pass before who was refused tries again. */
const WAITING = 800;

/** Opens what one process has. */
export async function openPublisher({ site, course, cdn }: Race): Promise<Wired> {
  await using parts = new AsyncDisposableStack();
  const wired = parts.use(await openSmall(site, { ledger: "ledger.db", store: cdn.origin, cdn }));
  const shared = course.openLedger && parts.use(await course.openLedger());
  const open = parts.move();
  const close = () => open.disposeAsync();
  return { ...wired, ledger: shared ?? wired.ledger, [Symbol.asyncDispose]: close };
}

/** A process that publishes again and again. */
export async function publish(race: Race, does: Publisher, wired: Wired): Promise<void> {
  let isDone = true;
  for (let n = 1; !race.isOver; n += 1) {
    const targets = does === "rebuild" ? [...race.changed] : undefined;
    // Whoever was refused waits a while.
    const resumesAt = isDone ? 0 : race.at + race.dice.between(1, WAITING);
    const racer = { name: `${does} ${n}`, position: undefined, isDead: false, resumesAt };
    if (targets?.length === 0) {
      await race.turns.take(racer, () => {});
      continue;
    }
    if (targets !== undefined) race.changed = new Set();
    isDone = await once(race, onTrack(wired, racer, race.track), { racer, targets });
    if (!isDone) race.changed = new Set([...race.changed, ...(targets ?? [])]);
  }
}

interface Asked {
  readonly racer: Racer;
  readonly targets: readonly string[] | undefined;
}

/** One run; gives whether it ended well. */
async function once({ sums }: Race, wired: Wired, { racer, targets }: Asked): Promise<boolean> {
  sums.runs += 1;
  try {
    const { release } = await bake(wired, { targets, now: () => Date.now() * 1000 });
    if (release !== undefined) sums.releases += 1;
    return true;
  } catch (error) {
    if (racer.isDead) return false;
    const code = error instanceof PipelineError ? error.code : "";
    if (!EXPECTED.has(code)) throw error;
    sums.codes[code] = (sums.codes[code] ?? 0) + 1;
    return false;
  }
}
