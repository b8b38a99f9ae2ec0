import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { Wired } from "../../src/pipeline.ts";
import type { PlanContext } from "../../src/plan/context.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import { noted, summed } from "../plan/summed.ts";
import { START } from "./rows.ts";
import { bake, openSmall, smallSite } from "./small-site.ts";

/** The same site over rows that can be summed up; what is fetched of them is noted. */
function summing(wired: Wired, scans: string[]): Wired {
  const read: Wired["source"]["read"] = async (...args) => {
    const rows = await wired.source.read(...args);
    const context = noted(summed({ rows } as PlanContext, 4), scans);
    return { ...rows, ...context.rows, [Symbol.asyncDispose]: () => rows[Symbol.asyncDispose]() };
  };
  return { ...wired, source: { ...wired.source, read } };
}

test("a build with nothing to do fetches once what rebuilds have touched, and not again", async () => {
  await using site = await smallSite();
  using database = new DatabaseSync(site.source);
  for (let id = 1; id <= 9; id += 1) {
    database.exec(`INSERT INTO posts (id, slug, title, body, author, status, published_at)
      VALUES (${id}, 'post-${id}', 'Post ${id}', '', 'ann', 'published', ${START - id})`);
  }
  await using opened = await openSmall(site, { ledger: "ledger.db", store: memoryStore() });
  const scans: string[] = [];
  const wired = summing(opened, scans);
  const fetched = async () => {
    scans.length = 0;
    const { release } = await bake(wired, { now: () => START });
    return [release, scans.length > 0];
  };
  expect(await fetched()).toEqual([1, true]);
  expect(await fetched()).toEqual([undefined, false]);
  database.exec("UPDATE posts SET title = 'Another' WHERE id = 3");
  await bake(wired, { targets: ["post:3"], now: () => START });

  expect(await fetched()).toEqual([undefined, true]);
  expect(await fetched()).toEqual([undefined, false]);
});
