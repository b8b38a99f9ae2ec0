import { describe, expect, test } from "vitest";
import type { Ledger, LivePage } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { plannedPages, plannedRange, plannedRoutes } from "../../src/plan/planned.ts";
import { decodeKey, digest, encodeKey, keyName, type Step } from "../../src/site.ts";

const RUN = "run";

function live(n: number, parts: Partial<LivePage> = {}): LivePage {
  const made = { hash: digest("a"), etag: undefined, bytes: 1, release: 1, trace: Buffer.alloc(2) };
  const where = { route: `/${n}/`, start: undefined, lastmod: n };
  return { kind: "a", key: encodeKey([n]), ...made, ...where, ...parts };
}

function step(n: number, parts: Partial<Step> = {}): Step {
  const what = { phase: "new", action: "create", reason: "absent" } as const;
  return {
    kind: "a",
    key: encodeKey([n]),
    ...what,
    route: `/${n}/`,
    from: undefined,
    start: undefined,
    ...parts,
  };
}

function gone(n: number): Step {
  return step(n, { phase: "deletes", action: "delete", reason: "gone" });
}

async function ledgerWith(pages: readonly LivePage[], steps: readonly Step[]): Promise<Ledger> {
  const ledger = await openSqliteLedger(":memory:");
  await ledger.confirm("earlier", pages);
  await ledger.stage(RUN, steps);
  return ledger;
}

test("a page is planned as its step says, else as it is live, and not at all once it is deleted", async () => {
  const start = encodeKey(["s"]);
  await using ledger = await ledgerWith(
    [live(1, { start }), live(2), live(3)],
    [step(2, { route: "/moved/", from: "/2/", start }), gone(3), step(4)],
  );

  const pages = await plannedPages(
    { ledger, run: RUN },
    [5, 4, 3, 2, 1].map((n) => step(n)),
  );

  expect(pages).toMatchObject([
    undefined,
    { kind: "a", key: encodeKey([4]), route: "/4/", start: undefined },
    undefined,
    { kind: "a", key: encodeKey([2]), route: "/moved/", start },
    { kind: "a", key: encodeKey([1]), route: "/1/", start },
  ]);
});

describe("a route will have a page", () => {
  const routes = async (pages: readonly LivePage[], steps: readonly Step[], asked: string[]) => {
    await using ledger = await ledgerWith(pages, steps);
    return [...(await plannedRoutes({ ledger, run: RUN }, asked))].sort();
  };

  test("when one is live there and stays, or is made or moves there", async () => {
    const updated = step(2, { phase: "changed", action: "update", reason: "row:a/2" });
    const moved = step(3, { route: "/moved/", from: "/3/", action: "update" });

    expect(
      await routes(
        [live(1), live(2), live(3)],
        [updated, moved, step(4)],
        ["/1/", "/2/", "/3/", "/4/", "/5/", "/moved/"],
      ),
    ).toEqual(["/1/", "/2/", "/4/", "/moved/"]);
  });

  test("not when the one that is live there goes", async () => {
    expect(await routes([live(1)], [gone(1)], ["/1/"])).toEqual([]);
  });

  test("when another takes it over", async () => {
    const over = step(2, { route: "/1/", from: "/2/", action: "update" });

    expect(await routes([live(1), live(2)], [gone(1), over], ["/1/", "/2/"])).toEqual(["/1/"]);
  });

  test("in its own case only", async () => {
    expect(await routes([live(1, { route: "/a/" })], [], ["/A/", "/b/"])).toEqual([]);
    expect(await routes([live(1, { route: "/a/" })], [], ["/a/", "/A/"])).toEqual(["/a/"]);
  });
});

describe("the pages of a kind as planned", () => {
  const names = async (ledger: Ledger, after?: Uint8Array, most = Number.POSITIVE_INFINITY) => {
    const found: string[] = [];
    for await (const { key, route } of plannedRange({ ledger, run: RUN }, "a", after)) {
      found.push(`${keyName(decodeKey(key))}${route}`);
      if (found.length === most) break;
    }
    return found;
  };
  const all = (count: number, of: (n: number) => boolean = () => true) =>
    Array.from({ length: count }, (_, at) => at + 1).filter(of);

  test("come in key order, whether they are live or new", async () => {
    const pages = all(90, (n) => n % 3 !== 0).map((n) => live(n));
    const made = all(120, (n) => n % 3 === 0 || n > 90).map((n) => step(n));
    await using ledger = await ledgerWith(
      [...pages, live(1, { kind: "b" })],
      [...made, step(2, { kind: "b" })],
    );

    expect(await names(ledger)).toEqual(all(120).map((n) => `${n}/${n}/`));
    expect(await names(ledger, encodeKey([100]))).toEqual(
      all(120)
        .slice(100)
        .map((n) => `${n}/${n}/`),
    );
  });

  test("are without those that go, and at their new routes", async () => {
    const moved = all(600, (n) => n % 50 === 0).map((n) =>
      step(n, { route: `/m${n}/`, from: `/${n}/` }),
    );
    await using ledger = await ledgerWith(
      all(600).map((n) => live(n)),
      [...all(600, (n) => n % 7 === 0 && n % 50 !== 0).map(gone), ...moved],
    );

    expect(await names(ledger)).toEqual(
      all(600, (n) => n % 7 !== 0 || n % 50 === 0).map(
        (n) => `${n}/${n % 50 === 0 ? "m" : ""}${n}/`,
      ),
    );
  });

  test.each([3, 4, 5, 16, 20, 21, 256])(
    "are all of %i live ones and all of as many new ones",
    async (count) => {
      await using old = await ledgerWith(
        all(count).map((n) => live(n)),
        [],
      );
      await using fresh = await ledgerWith(
        [],
        all(count).map((n) => step(n)),
      );
      await using gaps = await ledgerWith(
        all(count).map((n) => live(n)),
        all(count).map((n) => step(n + count)),
      );

      expect(await names(old)).toHaveLength(count);
      expect(await names(fresh)).toHaveLength(count);
      await using steps = await ledgerWith(
        all(count).map((n) => live(n + count)),
        all(count).map((n) => step(n)),
      );
      expect(await names(steps)).toEqual(all(2 * count).map((n) => `${n}/${n}/`));
      expect(await names(gaps)).toEqual(all(2 * count).map((n) => `${n}/${n}/`));
    },
  );

  test("are read a few at first, and more each time up to a limit", async () => {
    await using ledger = await ledgerWith(
      all(595).map((n) => live(n)),
      [],
    );
    const limits: number[] = [];
    const watched: Ledger = Object.create(ledger, {
      live: {
        value: async (kind: string, after: Uint8Array | undefined, limit: number) => {
          limits.push(limit);
          return await ledger.live(kind, after, limit);
        },
      },
      staged: { value: ledger.staged.bind(ledger) },
    });

    expect(await names(watched, undefined, 3)).toHaveLength(3);
    expect(limits).toEqual([4]);
    await names(watched);
    expect(limits.slice(1)).toEqual([4, 16, 64, 256, 256]);
  });
});
