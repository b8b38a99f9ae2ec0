import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Wired } from "../../src/pipeline.ts";
import type { Write } from "../../src/publish/store.ts";
import { smallWorld } from "./world.ts";

/** A run that is silent for so long may be replaced. */
const LEASE_MS = 30_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

/** Tells of each put and delete until when it may take place. */
function telling(tell: (until: Write["until"]) => void) {
  return (wired: Wired): Wired => ({
    ...wired,
    store: {
      ...wired.store,
      put(artifact, write) {
        tell(write?.until);
        return wired.store.put(artifact, write);
      },
      delete(keys, deletion) {
        tell(deletion?.until);
        return wired.store.delete(keys, deletion);
      },
    },
  });
}

test("whatever a run asks of the store takes place before its claim ends, or not at all", async () => {
  await using world = await smallWorld(3);
  const ends: number[] = [];
  const wire = telling((until) => ends.push((until?.() ?? Number.POSITIVE_INFINITY) - Date.now()));
  await world.bake({}, wire);
  world.edit(1, "slug", "moved");
  world.edit(2, "status", "draft");
  await world.bake({}, wire);

  expect(ends.length).toBeGreaterThan(40);
  expect(Math.max(...ends)).toBeLessThan(LEASE_MS);
  expect(Math.min(...ends)).toBeGreaterThan(LEASE_MS / 2);
});

test("what a run had asked when it was suspended is over, and it claims again before it asks for more", async () => {
  await using world = await smallWorld(3);
  const ends: unknown[] = [];
  const wire = telling((until) => {
    if (ends.length === 5) vi.setSystemTime(Date.now() + LEASE_MS);
    ends.push(outcome(() => until?.()));
  });

  const { changed } = await world.bake({}, wire);

  expect(changed).toBeGreaterThan(10);
  expect(ends.splice(5, 1)).toMatchObject([{ code: "run_conflict", hint: expect.any(String) }]);
  expect(ends).toEqual(ends.map(() => expect.any(Number)));
});

function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
