import { expect, test } from "vitest";
import { type FreezeOptions, freezeChanges } from "../../src/invalidate/freeze.ts";
import { TERMS } from "../../src/invalidate/terms.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { address, ownTag } from "../../src/site.ts";
import { article, livePage } from "../ledger/fixtures.ts";
import { memoryCdn } from "./memory-cdn.ts";

const PAGES = 60;

/** Articles by an author, live; one in ten is by another. */
async function openLedger(): Promise<Ledger> {
  const ledger = await openSqliteLedger(":memory:");
  const pages = Array.from({ length: PAGES }, (_, n) => {
    return livePage({ ...article(n), route: `/articles/${n}/` });
  });
  await ledger.confirm("run", pages, { tagged: pages.map((page, n) => tagged(page, n)) });
  return ledger;
}

function tagged(page: ReturnType<typeof article>, n: number) {
  return { ...page, tags: [ownTag(page), "article", `author-${n % 10 === 0 ? "bob" : "ann"}`] };
}

async function change(ledger: Ledger, isChanged: (n: number) => boolean): Promise<void> {
  const changed = Array.from({ length: PAGES }, (_, n) => n).filter(isChanged);
  await ledger.intend(
    "run",
    [],
    changed.map((n) => ({ ...tagged(article(n), n), route: `/articles/${n}/` })),
  );
}

function options(ledger: Ledger, parts: Partial<FreezeOptions> = {}): FreezeOptions {
  const cdn = { ...memoryCdn(), hasTags: true };
  return { ledger, cdn, terms: { ...TERMS, maxShare: 0 }, run: "run", now: () => 0, ...parts };
}

async function items(ledger: Ledger): Promise<readonly string[]> {
  return (await ledger.outbox()).flatMap((batch) => batch.items);
}

test("what changed with all of a tag is one item, also when it is planned in parts", async () => {
  for (const mostChanges of [1000, 7]) {
    await using ledger = await openLedger();
    await change(ledger, (n) => n % 10 !== 0);

    await freezeChanges(options(ledger, { mostChanges }));

    expect(await items(ledger)).toEqual(["#author-ann"]);
    expect(await ledger.waiting()).toMatchObject({ changes: 0 });
  }
});

test("in parts no item evicts what is unchanged beyond the bound", async () => {
  await using ledger = await openLedger();
  await change(ledger, (n) => n % 10 !== 0 && n !== 59);

  await freezeChanges(options(ledger, { mostChanges: 7 }));

  const sent = await items(ledger);
  expect(sent).toHaveLength(53);
  expect(sent.every((item) => item.startsWith("#article-"))).toBe(true);
});

test("a page that went is its own tag, which no page has any more", async () => {
  await using ledger = await openLedger();
  const retired = [{ object: address("/articles/3/").key, dueAt: 0, isCached: true }];
  await ledger.retire("run", [article(3)], { retired });
  await ledger.forget(
    "run",
    retired.map(({ object }) => object),
  );
  const reports: unknown[] = [];

  await freezeChanges(options(ledger, { onCover: (report) => reports.push(report) }));

  expect(await items(ledger)).toEqual([ownTag(article(3))].map((tag) => `#${tag}`));
  expect(reports).toMatchObject([{ objects: 1, load: { items: 1, evicted: 0 } }]);
});

test("batches are as large as a call may be, wave after wave", async () => {
  await using ledger = await openLedger();
  await change(ledger, (n) => n < 30);
  const terms = { ...TERMS, maxShare: 0, reservedItems: TERMS.maxItems - 20, callItems: 8 };

  await freezeChanges(options(ledger, { terms, cdn: memoryCdn() }));

  const batches = (await ledger.outbox()).map((batch) => batch.items.length);
  expect(batches).toEqual([8, 8, 4, 8, 8, 4, 8, 8, 4]);
});

test("batches that wait count as spent for what is planned next", async () => {
  await using ledger = await openLedger();
  const terms = { ...TERMS, freeItems: 12, budgetUsd: 0, maxShare: 1 };
  await change(ledger, (n) => n < 6);
  await freezeChanges(options(ledger, { terms: { ...terms, maxShare: 0 }, cdn: memoryCdn() }));
  expect(await items(ledger)).toHaveLength(12);
  await change(ledger, (n) => n < 6);

  await freezeChanges(options(ledger, { terms, cdn: memoryCdn() }));

  expect((await items(ledger)).slice(12)).toHaveLength(1);
});

test("changes that another froze meanwhile are planned again, without them", async () => {
  await using ledger = await openLedger();
  await change(ledger, (n) => n < 5);
  let isFirst = true;
  const raced: Ledger = {
    ...ledger,
    async freeze(frozen) {
      if (isFirst) {
        isFirst = false;
        await freezeChanges(options(ledger));
        await ledger.recall(["/articles/7/"]);
      }
      return await ledger.freeze(frozen);
    },
  };

  await freezeChanges(options(raced));

  const sent = await items(ledger);
  expect(new Set(sent).size).toBe(sent.length);
  expect(sent).toEqual(expect.arrayContaining(["/articles/7/", `#${ownTag(article(4))}`]));
});

test("a sample of what has a page now is kept to be looked at, evenly spread", async () => {
  await using ledger = await openLedger();
  await change(ledger, () => true);
  await ledger.recall(["/gone/"]);

  await freezeChanges(options(ledger, { probes: 4 }));

  const [cover] = await ledger.covers("open");
  const { probes } = JSON.parse(cover?.report ?? "{}");
  expect(probes).toEqual(["/articles/0/", "/articles/15/", "/articles/30/", "/articles/45/"]);
});
