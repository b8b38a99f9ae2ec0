import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import type { Wired } from "../../src/pipeline.ts";
import { faultAt } from "./faults.ts";
import { later } from "./later.ts";
import { brokenLinks } from "./links.ts";
import { differences } from "./small-site.ts";
import { failures, smallWorld, type World } from "./world.ts";

/** A site that was built, and whose rows then changed. */
async function changedWorld(): Promise<World> {
  const world = await smallWorld(4);
  await world.bake();
  world.edit(1, "title", "New");
  world.edit(2, "status", "draft");
  world.edit(3, "slug", "moved");
  world.post(5, { topic: "y" });
  return world;
}

async function isExact(world: World): Promise<void> {
  expect(differences(world.shown(), await world.scratch())).toEqual([]);
}

/** Calls `work` once, before the ledger does `method` for the nth time. */
function beforeCall(wired: Wired, method: keyof Ledger, nth: number, work: () => Promise<void>) {
  let calls = 0;
  const inner = wired.ledger[method] as (...args: readonly unknown[]) => unknown;
  const watched = async (...args: readonly unknown[]) => {
    calls += 1;
    if (calls === nth) await work();
    return await inner(...args);
  };
  return { ...wired, ledger: { ...wired.ledger, [method]: watched } };
}

describe("a build that has nothing to do", () => {
  test("writes nothing to the ledger, puts nothing and records no release", async () => {
    await using world = await smallWorld(4);
    world.loosen();
    world.sql("INSERT INTO people VALUES ('ann', x'ff')");
    const puts: string[] = [];
    await world.bake();
    await using ledger = await openSqliteLedger(`${world.site.dir}/ledger.db`);
    const observer = new DatabaseSync(`${world.site.dir}/ledger.db`);
    const version = () => Object.values(observer.prepare("PRAGMA data_version").get() ?? {});
    const before = version();

    const { release, failed } = await world.bake({}, (wired) => ({
      ...wired,
      ledger,
      store: {
        ...wired.store,
        async put({ key }) {
          puts.push(key);
          return undefined;
        },
      },
    }));

    expect({ release, failed, puts }).toEqual({ release: undefined, failed: 1, puts: [] });
    expect(version()).toEqual(before);
    observer.close();
  });
});

describe("with one kind only", () => {
  test.for(["post", "note", "author", "topic", "all", "home", "content", "sitemap"])(
    "%s, nothing is deleted and no link leads nowhere; the next whole build ends exact",
    async (only) => {
      await using world = await changedWorld();
      const before = Object.keys(world.shown());

      const { deleted } = await world.bake({ only });

      expect(deleted).toBe(0);
      expect(before.filter((key) => !world.objects.has(key))).toEqual([]);
      expect(brokenLinks(world.objects)).toEqual([]);

      await world.bake();

      await isExact(world);
      expect((await world.bake()).release).toBeUndefined();
    },
  );

  test("only its pages change", async () => {
    await using world = await changedWorld();
    const before = world.shown();

    await world.bake({ only: "note" });

    const changed = differences(world.shown(), before).map((each) => each.split(" ")[0]);
    // Each of them counts its fellows, and one has come.
    const notes = [1, 2, 3, 4, 5].map((id) => `notes/${id}/index.html`);
    expect(changed).toEqual(notes);
  });
});

describe("a run that is stopped", () => {
  test("leaves no link that leads nowhere wherever it stops, and the next completes it", async () => {
    for (let nth = 1; ; nth += 1) {
      await using world = await changedWorld();
      const known = [...world.objects.keys()];
      const stop = new AbortController();
      let events = 0;
      const run = world.bake({
        signal: stop.signal,
        emit(event) {
          events += 1;
          if (events === nth && event.event !== "summary") stop.abort();
        },
      });

      const error = await run.then(
        () => undefined,
        (reason: unknown) => reason,
      );

      if (!stop.signal.aborted) break;
      if (error !== undefined) expect(error, `event ${nth}`).toMatchObject({ code: "interrupted" });
      expect(brokenLinks(world.objects, known), `event ${nth}`).toEqual([]);
      await world.bake();
      await isExact(world);
    }
  });
});

describe("two runs at once", () => {
  test("end exact, whichever is told of a conflict", async () => {
    for (const nth of [1, 2, 3, 5, 8, 13, 21, 34]) {
      await using world = await changedWorld();
      let other: Promise<unknown> | undefined;
      let left = nth;
      const first = world.bake({}, (wired) => ({
        ...wired,
        store: {
          ...wired.store,
          async put(artifact, write) {
            left -= 1;
            if (left === 0) other = world.bake();
            return await wired.store.put(artifact, write);
          },
        },
      }));

      const ends = await Promise.allSettled([first, first.then(() => other)]);

      const failed = ends.flatMap((end) => (end.status === "rejected" ? [end.reason.code] : []));
      expect(failed.filter((code) => code !== "run_conflict")).toEqual([]);
      await isExact(world);
    }
  });

  test.for(["release", "known", "stage", "claim"] as const)(
    "older rows never overwrite newer ones: another publishes before the first %s",
    async (method) => {
      await using world = await changedWorld();
      const run = world.bake({}, (wired) =>
        beforeCall(wired, method, 1, async () => {
          world.edit(1, "title", "Newer");
          world.edit(4, "title", "Newer, too");
          await world.bake();
        }),
      );

      const [end] = await Promise.allSettled([run]);

      if (end.status === "rejected") expect(end.reason.code).toBe("run_conflict");
      await isExact(world);
    },
  );

  test("nor when the other publishes just after this one read its rows", async () => {
    await using world = await changedWorld();
    const run = world.bake({}, (wired) => ({
      ...wired,
      source: {
        ...wired.source,
        async read(now) {
          const rows = await wired.source.read(now);
          world.edit(1, "title", "Newer");
          await world.bake();
          return rows;
        },
      },
    }));

    await expect(run).rejects.toMatchObject({ code: "run_conflict" });
    await isExact(world);
  });

  test("nor when the other died half-way and its claim has ended", async () => {
    await using world = await changedWorld();
    const run = world.bake({}, (wired) =>
      beforeCall(later(wired), "claim", 1, async () => {
        world.edit(1, "title", "Newer");
        await expect(dyingBake(world)).rejects.toThrow();
      }),
    );

    await expect(run).rejects.toMatchObject({ code: "run_conflict" });
    expect(world.shown()["notes/1/index.html"]).toContain("Newer");

    await world.bake({}, later);

    await isExact(world);
  });
});

test("what another run published while this one planned is not forgotten, although it died", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.edit(1, "title", "Old");
  const [planned, dead] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let other: Promise<unknown> | undefined;
  const dying = world.bake({}, (wired) =>
    beforeCall({ ...wired, ledger: dyingAt(wired.ledger, "finish") }, "intend", 1, async () => {
      world.edit(1, "title", "Title 1");
      world.edit(2, "title", "New");
      const waiting = (same: Wired) =>
        beforeCall(later(same), "claim", 1, async () => {
          planned.resolve();
          await dead.promise;
        });
      other = world.bake({}, waiting);
      await planned.promise;
    }),
  );
  await expect(dying).rejects.toThrow();
  dead.resolve();

  await expect(other).rejects.toMatchObject({ code: "run_conflict" });

  await world.bake({}, later);
  expect(world.shown()["posts/p1/index.html"]).toContain("Title 1");
  await isExact(world);
});

/** A run that publishes everything and dies before it can say so; its claim stays for a minute. */
function dyingBake(world: World) {
  return world.bake({}, (wired) => ({ ...wired, ledger: dyingAt(wired.ledger, "finish") }));
}

function dyingAt(ledger: Ledger, method: "finish"): Ledger {
  const error = () => new Error("killed");
  return faultAt({ nth: 1, when: "before", isFatal: true, error }).on(ledger, [method]);
}

test("the claim of a run that died keeps others away for a minute, and says so", async () => {
  await using world = await changedWorld();
  await expect(dyingBake(world)).rejects.toThrow();
  world.edit(4, "title", "New");

  await expect(world.bake()).rejects.toMatchObject({
    code: "run_conflict",
    hint: "Wait until it has finished; if it was stopped or died, its claim ends by itself.",
  });
});

test("a new page whose put was cut off and whose row is bad now is nowhere", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.post(4);
  const cut = world.bake({}, (wired) => ({
    ...wired,
    store: {
      ...wired.store,
      async put(artifact, write) {
        await wired.store.put(artifact, write);
        if (artifact.key === "posts/p4/index.html") throw new Error("killed");
        return undefined;
      },
    },
  }));
  await expect(cut).rejects.toThrow("killed");
  expect(world.objects.has("posts/p4/index.html")).toBe(true);
  world.edit(4, "title", "throw");

  const { events } = await world.bake();

  expect(failures(events)).toEqual(["post 4: template_failed at posts 4 -"]);
  expect(world.objects.has("posts/p4/index.html")).toBe(false);
  expect(brokenLinks(world.objects)).toEqual([]);
  await isExact(world);
});

test("counts candidates, rendered and changed by kind and cause", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.sql("INSERT INTO people VALUES ('ann', 'Ann')");
  world.edit(2, "title", "New");

  const { causes, candidates } = await world.bake();

  expect(causes.filter(({ kind }) => ["post", "note", "author"].includes(kind))).toEqual([
    { kind: "author", cause: "absent", candidates: 1, rendered: 1, changed: 1, deleted: 0 },
    { kind: "author", cause: "list", candidates: 2, rendered: 2, changed: 2, deleted: 0 },
    { kind: "note", cause: "list", candidates: 2, rendered: 0, changed: 0, deleted: 0 },
    { kind: "note", cause: "row", candidates: 1, rendered: 1, changed: 1, deleted: 0 },
    { kind: "post", cause: "absent", candidates: 2, rendered: 2, changed: 2, deleted: 0 },
    { kind: "post", cause: "row", candidates: 1, rendered: 1, changed: 1, deleted: 0 },
  ]);
  expect(causes.reduce((sum, each) => sum + each.candidates, 0)).toBe(candidates);
});

test("counts pages that were looked at and found as they were", async () => {
  await using world = await smallWorld(3);
  await world.bake();
  world.edit(2, "body", "Another body.");

  const { causes } = await world.bake();
  const verified = await world.bake({ isVerify: true });

  expect(causes.filter(({ kind }) => ["post", "note"].includes(kind))).toEqual([
    { kind: "note", cause: "row", candidates: 1, rendered: 1, changed: 1, deleted: 0 },
    { kind: "post", cause: "row", candidates: 1, rendered: 0, changed: 0, deleted: 0 },
  ]);
  expect(new Set(verified.causes.map(({ cause }) => cause))).toEqual(new Set(["all"]));
  expect(verified).toMatchObject({ rendered: 0, changed: 0 });
});
