import { exportHistory } from "../../src/pipeline/route-history.ts";
import { bake, differences, scratch, shown } from "../pipeline/small-site.ts";
import { pass } from "./lead.ts";
import { openPublisher, type Race } from "./publisher.ts";
import { witnessed } from "./requests.ts";
import { LATE_MS } from "./track.ts";

/** Longer than a claim. */
const MINUTE_MS = 60_000;

/**
 * Requests that are under way arrive or expire around the last builds, after which all is exact.
 * @throws Error that names what is not
 */
export async function end(race: Race): Promise<void> {
  const { course, cdn, dice, track } = race;
  await build(race);
  await arrive(race, () => dice.chance(0.5));
  pass(LATE_MS + MINUTE_MS);
  await arrive(race, () => true);
  const history = await build(race);
  const wanted = shown(await scratch(race.site, Date.now() * 1000, { history }));
  const differing = differences(await course.shown(), wanted);
  const { witness } = track;
  none(
    "not as from scratch",
    differing.map((each) => `${each}\n  ${witness.of(each.split(" ")[0] ?? "").join("; ")}`),
  );
  none("stale at the edge", cdn.stale());
  none("went backwards", witness.backwards);
}

async function arrive({ turns }: Race, isChosen: () => boolean): Promise<void> {
  for (const { go } of await turns.waiting()) {
    if (!isChosen()) continue;
    go();
    await turns.waiting();
  }
}

/** One build that nothing disturbs; the others' claims are over. Gives the route history. */
async function build(race: Race): Promise<readonly string[]> {
  const { edits, track } = race;
  pass(MINUTE_MS);
  await using wired = await openPublisher(race);
  const last = { name: "the last build", position: edits.position };
  const store = { ...wired.store, ...witnessed(wired.store, last, track.witness) };
  await bake({ ...wired, store }, { now: () => Date.now() * 1000 });
  return await Array.fromAsync(exportHistory(wired.ledger));
}

function none(what: string, found: readonly string[]): void {
  if (found.length === 0) return;
  throw new Error(`${found.length} ${what}:\n${found.slice(0, 5).join("\n")}`);
}
