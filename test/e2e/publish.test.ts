import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startFauxqs } from "../services/fauxqs.ts";
import { describeWith } from "../services/requires.ts";
import { sharedRadosgw } from "../services/shared.ts";
import { type CorpusDir, corpusSlice, wholeCorpus } from "./corpus-dir.ts";
import { describeFirstBuild } from "./first-build.ts";
import { ledgerState } from "./ledger-state.ts";
import { NOW, type Published, publish } from "./published.ts";
import { describeSecondBuild } from "./second-build.ts";
import type { StackOptions } from "./stack.ts";
import { get } from "./viewer.ts";

const BUILD_TIMEOUT_MS = 240_000;

describeWith(["shared-mariadb", "shared-radosgw", "varnish"], "the corpus on radosgw", () => {
  describeSite(async () => {
    const s3 = await sharedRadosgw();
    const bucket = await s3.createBucket(undefined, { publicRead: true });
    return { s3, bucket, prefix: "blog/en", ledger: "mysql" };
  }, wholeCorpus);
});

describeWith(["shared-mariadb", "varnish"], "a slice of the corpus on fauxqs", () => {
  describeSite(async (parts) => {
    const s3 = parts.use(await startFauxqs());
    return { s3, bucket: await s3.createBucket(), prefix: "", ledger: "sqlite" };
  }, corpusSlice);
});

/** The life of one site; the suites go on from each other. */
function describeSite(
  open: (parts: AsyncDisposableStack) => Promise<StackOptions>,
  openCorpus: () => CorpusDir | Promise<CorpusDir>,
): void {
  const parts = new AsyncDisposableStack();
  let published: Published;
  const site = () => published;

  beforeAll(async () => {
    await using corpus = await openCorpus();
    published = parts.use(await publish(await open(parts), corpus));
  }, BUILD_TIMEOUT_MS);
  afterAll(() => parts.disposeAsync());

  describe("after the first build", () => describeFirstBuild(site));
  describe("after changes and a second build", () => describeSecondBuild(site, BUILD_TIMEOUT_MS));
  describe("without its rows", () => describeGuards(site));
}

/** A source that lost its rows stops the build before anything has changed. */
function describeGuards(site: () => Published): void {
  test.each([
    ["half of the articles", "DELETE FROM articles WHERE id % 2 = 0", "deletes_refused"],
    ["all articles", "DELETE FROM articles", "source_empty"],
  ])("%s: nothing is changed", async (_, statement, code) => {
    const { stack } = site();
    const before = [await stack.listing(), (await ledgerState(stack.config)).content];
    const home = await get(stack.cdn.url, "/");
    const sent = stack.cdn.invalidations().length;
    await stack.sql(statement);

    await expect(stack.build({ now: NOW })).rejects.toMatchObject({ code });

    expect([await stack.listing(), (await ledgerState(stack.config)).content]).toEqual(before);
    expect(stack.cdn.invalidations()).toHaveLength(sent);
    expect((await get(stack.cdn.url, "/")).md5).toBe(home.md5);
  });
}
