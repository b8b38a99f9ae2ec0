import { vi } from "vitest";
import type { Wired } from "../../src/pipeline.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import type { Artifact } from "../../src/site.ts";
import { around } from "../pipeline/calls.ts";
import { withHeaders } from "../pipeline/declared.ts";
import { CDN_CALLS, callsThat, LEDGER_CALLS } from "../pipeline/effects.ts";
import { openSmall } from "../pipeline/small-site.ts";
import { ENTRIES, keysIn } from "./crawler.ts";
import type { Life } from "./state.ts";

/** Longest time between two effects, ms. */
const TICK_MS = 300;
/** Looks around while time passes in which nothing is published. */
const LOOKS = 4;

/** The pipeline with crawlers between its effects. */
export async function openWired(life: Life): Promise<Wired> {
  const opened = await openSmall(life.site, {
    ledger: "ledger.db",
    store: life.store,
    cdn: life.edges,
  });
  let wired = opened;
  for (const [kind, cache] of life.caching) wired = withHeaders(wired, kind, { cache });
  const look = async (name: string, call: () => unknown) => {
    step(life, `before ${name}`);

    const result = await call();
    if (name === "dateRetired") await noteLeaving(life, opened);
    step(life, `after ${name}`);
    return result;
  };
  return {
    ...wired,
    ledger: around(wired.ledger, callsThat(LEDGER_CALLS, "effect"), look),
    cdn: around(wired.cdn, callsThat(CDN_CALLS, "effect"), look),
    store: seenStore(life, look),
    sleep: async (ms) => pass(life, ms / 1000, 2),
  };
}

/** Of objects that go together each goes at a moment of its own. */
function seenStore(
  { store, leaving, objects }: Life,
  look: (name: string, call: () => unknown) => Promise<unknown>,
): ObjectStore {
  return {
    ...store,
    async put(artifact, write) {
      const put = async () => {
        const etag = await store.put(artifact, write);
        if (leaving.size > 0) for (const key of reachable(objects)) leaving.delete(key);
        return etag;
      };
      return (await look(`put ${artifact.key}`, put)) as string;
    },
    async delete(keys, deletion) {
      const refused: string[] = [];
      for (const key of keys) {
        const gone = await look(`delete ${key}`, () => store.delete([key], deletion));
        refused.push(...(gone as readonly string[]));
      }
      return refused;
    },
  };
}

/**
 * Where readers come to from an entry through what is published. A page that comes back is still
 * leaving until it is there: edges may hold what it was before.
 */
function reachable(objects: ReadonlyMap<string, Artifact>): ReadonlySet<string> {
  const found = new Set(ENTRIES);
  for (const key of found) {
    const artifact = objects.get(key);
    if (artifact === undefined) continue;
    for (const next of keysIn(artifact)) found.add(next);
  }
  return found;
}

async function noteLeaving({ leaving, crawlers }: Life, { ledger }: Wired): Promise<void> {
  leaving.clear();
  for (const { object } of await ledger.retired(10_000)) leaving.add(object);
  for (const each of crawlers) each.weed();
}

/** A little time passes, and one crawler looks around. */
function step(life: Life, doing: string): void {
  life.doing = doing;
  vi.advanceTimersByTime(1 + life.dice.roll(TICK_MS));
  // Before the first build has ended there is no site.
  if (life.runs > 1) life.crawlers[life.dice.roll(life.crawlers.length)]?.turn();
}

/** All crawlers look, one after another. */
export function lookAround(life: Life): void {
  for (const each of life.crawlers) {
    each.weed();
    vi.advanceTimersByTime(1);
    each.turn();
  }
}

/** Time passes in which nothing is published, and crawlers look now and then. */
export function pass(life: Life, seconds: number, looks = LOOKS): void {
  for (let at = 0; at < looks; at += 1) {
    vi.advanceTimersByTime(Math.ceil((seconds * 1000) / looks));
    step(life, `${seconds} s of nothing`);
  }
}
