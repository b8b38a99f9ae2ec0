import { vi } from "vitest";
import type { Wired } from "../../src/pipeline.ts";
import { cacheCdn } from "../pipeline/cache-cdn.ts";
import { START } from "../pipeline/rows.ts";
import { smallSite } from "../pipeline/small-site.ts";
import type { Course } from "./course.ts";
import { diceFrom } from "./dice.ts";
import { openEdits } from "./edits.ts";
import { end } from "./end.ts";
import { lead } from "./lead.ts";
import { openPublisher, PUBLISHERS, publish, type Race, type RunSums } from "./publisher.ts";
import type { Taker } from "./track.ts";
import { openTurns } from "./turns.ts";
import { openWitness, type WriteSums } from "./witness.ts";

/** What was counted in one race. */
export interface RaceSums extends RunSums, WriteSums {
  readonly turns: number;
}

/** Shares of the writes, see `Track`. */
const SHARES = { lateShare: 0.05, slowShare: 0.02 };
/** The most turns that something is held up: for moments as a rule, and for longer than a claim. */
const HELD_UP = [20, 80, 800];

/**
 * Lets four publishers race while rows change; they are suspended, killed, and their requests come
 * late. Afterwards two more builds make all right. The caller has faked the clock.
 * @param isOver asked with the turns so far
 * @throws Error that names what went backwards or is not as from scratch
 */
export async function race(
  course: Course,
  seed: number,
  isOver: (turns: number) => boolean,
): Promise<RaceSums> {
  await using site = await smallSite();
  const dice = diceFrom(seed);
  using edits = openEdits(site.source, dice);
  vi.setSystemTime(START / 1000);
  const under = openRace({ site, course, dice, edits });
  await using opened = new AsyncDisposableStack();
  const wired: Wired[] = [];
  for (const _ of PUBLISHERS) wired.push(opened.use(await openPublisher(under)));
  const all = PUBLISHERS.map((does, n) => publish(under, does, wired[n] as Wired));
  await lead(under, isOver);
  await Promise.all(all);
  await end(under);
  return { ...under.sums, turns: under.at, ...under.track.witness.sums };
}

function openRace(parts: Pick<Race, "site" | "course" | "dice" | "edits">): Race {
  const { course, dice, edits } = parts;
  const [turns, witness] = [openTurns<Taker>(), openWitness()];
  const sums = { edits: 0, runs: 0, releases: 0, killed: 0, codes: {}, refused: 0, late: 0 };
  const under: Race = {
    ...{ ...parts, turns, sums },
    cdn: cacheCdn(course.objects, course.store),
    track: {
      ...{ turns, dice, witness, sums, ...SHARES },
      position: () => edits.position,
      later: () => under.at + dice.between(1, dice.pick(HELD_UP)),
      staleShare: (name) => (name.startsWith("retry") ? 0.5 : 0),
    },
    changed: new Set<string>(),
    at: 0,
    isOver: false,
  };
  return under;
}
