import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PipelineError } from "../../src/error.ts";
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
  // Those of its batch that were on their way to the store by then are over as well.
  const over = ends.filter((end) => typeof end !== "number");
  expect(over.length).toBeGreaterThan(0);
  for (const end of over)
    expect(end).toMatchObject({ code: "run_conflict", hint: expect.any(String) });
  expect(ends.slice(0, 5)).toEqual(Array(5).fill(expect.any(Number)));
  expect(ends.length).toBeGreaterThanOrEqual(changed);
  expect(typeof ends.at(-1)).toBe("number");
});

describe("a run whose requests were not answered", () => {
  test("ends when they can no longer take place, so that the next one may begin", async () => {
    await using world = await smallWorld(3);
    const waits: number[] = [];
    const wire = lost((ms) => waits.push(ms));

    const { events } = await world.bake({}, wire);
    const begunMs = Date.now();
    world.edit(1, "title", "New");
    const error = await world.bake({}, failing(wire)).catch((error: unknown) => error);

    expect(waits).toEqual([expect.any(Number), expect.any(Number)]);
    expect(Math.min(...waits)).toBeGreaterThan(LEASE_MS / 2);
    expect(Date.now() - begunMs).toBeLessThan(LEASE_MS);
    expect(events).toContainEqual({
      event: "note",
      message: expect.stringMatching(/ 2\d seconds/),
    });
    expect(error).toMatchObject({ code: "store_rejected" });
    expect(await world.bake()).toMatchObject({ failed: 0 });
  });

  test("does not wait when it is stopped, and keeps others away until then", async () => {
    await using world = await smallWorld(3);
    const stop = new AbortController();
    const stopped = lost(() => expect.unreachable());
    const stopping = telling(() => stop.abort());

    const end = world.bake({ signal: stop.signal }, (wired) => stopping(stopped(wired)));

    await expect(end).rejects.toMatchObject({ code: "interrupted" });

    await expect(world.bake()).rejects.toMatchObject({ code: "run_conflict" });
    vi.setSystemTime(Date.now() + LEASE_MS);
    expect(await world.bake()).toMatchObject({ failed: 0 });
  });
});

/** No put is answered but by its repetition; time passes while a run waits. */
function lost(onWait: (ms: number) => void) {
  return (wired: Wired): Wired => ({
    ...wired,
    store: {
      ...wired.store,
      put(artifact, write) {
        write?.onLost?.();
        return wired.store.put(artifact, write);
      },
    },
    async sleep(ms) {
      onWait(ms);
      vi.setSystemTime(Date.now() + ms);
    },
  });
}

/** The store refuses whoever puts a page. */
function failing(wire: (wired: Wired) => Wired) {
  return (wired: Wired): Wired => {
    const { store, ...rest } = wire(wired);
    return {
      ...rest,
      store: {
        ...store,
        async put(artifact, write) {
          await store.put(artifact, write);
          throw new PipelineError("store_rejected", "No.");
        },
      },
    };
  };
}

function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
