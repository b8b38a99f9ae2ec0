import { describe, expect, test } from "vitest";
import type { ObjectStore } from "../../src/publish/store.ts";
import { artifact, sorted } from "./artifact.ts";

/** Names that some layer between us and the object could take for something else. */
const AWKWARD_KEYS = [
  "articles/café/index.html",
  "articles/日本語 テスト/index.html",
  "articles/🥐/index.html",
  "articles/a%e2%80%8ab/index.html",
  "articles/%2F/index.html",
  "articles/a+b/index.html",
  "articles/a b/index.html",
  "articles/ outer spaces /index.html",
  "articles/a&b<c>\"d'/index.html",
  "articles/q?a=1#top/index.html",
  "articles/star*[x]{y}/index.html",
  "articles/...and dots./index.html",
  ".well-known/security.txt",
  `${`${"k".repeat(254)}/`.repeat(4)}abcd`,
];

const named = AWKWARD_KEYS.map((key) => ({ key, name: JSON.stringify(key.slice(0, 40)) }));

/** What every ObjectStore must do. `open` gives an empty store each time it is called. */
export function describeObjectStore(
  adapter: string,
  open: () => Promise<ObjectStore>,
  { keepsHeaders }: { readonly keepsHeaders: boolean },
): void {
  describe(`${adapter} as an ObjectStore`, () => {
    test("a store that can be written to passes the check and is empty", async () => {
      const store = await open();

      await store.check();

      expect(await sorted(store.list(""))).toEqual([]);
    });

    test("gives back the bytes that were put", async () => {
      const store = await open();
      const body = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      await store.put(artifact({ key: "a/b.bin", body }));

      expect(Buffer.from((await store.get("a/b.bin"))?.body ?? [])).toEqual(Buffer.from(body));
    });

    test("what may take place until later is carried out", async () => {
      const store = await open();
      const until = () => Date.now() + 20_000;
      await store.put(artifact({ key: "a" }), { until });
      await store.put(artifact({ key: "b" }), { until });
      await store.delete(["a"], { until });

      expect(await sorted(store.list(""))).toEqual(["b"]);
    });

    test("keeps an empty object", async () => {
      const store = await open();
      await store.put(artifact({ key: "empty.txt", body: new Uint8Array() }));

      expect((await store.get("empty.txt"))?.body).toHaveLength(0);
      expect(await sorted(store.list(""))).toEqual(["empty.txt"]);
    });

    test("keeps its own copy of a body whose buffer is used again", async () => {
      const store = await open();
      const body = Buffer.from("first");
      await store.put(artifact({ key: "index.html", body }));
      body.write("other");

      expect(Buffer.from((await store.get("index.html"))?.body ?? []).toString()).toBe("first");
    });

    test("a second put replaces the first", async () => {
      const store = await open();
      await store.put(artifact({ key: "index.html", body: Buffer.from("a longer first one") }));
      await store.put(artifact({ key: "index.html", body: Buffer.from("second") }));

      expect(Buffer.from((await store.get("index.html"))?.body ?? []).toString()).toBe("second");
      expect(await sorted(store.list(""))).toEqual(["index.html"]);
    });

    test("has no object under a key that was never put, nor under a part of one", async () => {
      const store = await open();
      await store.put(artifact({ key: "a/index.html" }));

      expect(await store.get("a")).toBeUndefined();
      expect(await store.get("b/index.html")).toBeUndefined();
      expect(await store.get("a/index.html/deeper")).toBeUndefined();
    });

    test("lists only the keys under the prefix", async () => {
      const store = await open();
      for (const key of ["ab/1/index.html", "ab/2/index.html", "abc.txt", "b/ab/index.html"]) {
        await store.put(artifact({ key }));
      }

      expect(await sorted(store.list("ab/"))).toEqual(["ab/1/index.html", "ab/2/index.html"]);
      expect(await sorted(store.list("ab"))).toHaveLength(3);
      expect(await sorted(store.list("ab/1/index.h"))).toEqual(["ab/1/index.html"]);
      expect(await sorted(store.list("none/"))).toEqual([]);
    });

    test("tells sizes in lists, and the tag of the last put wherever it tells one", async () => {
      const store = await open();
      await store.put(artifact({ key: "a.html", body: Buffer.from("a longer first one") }));
      const etag = await store.put(artifact({ key: "a.html", body: Buffer.from("second") }));

      const [listed] = await Array.fromAsync(store.list(""));
      expect(listed).toMatchObject({ key: "a.html", bytes: 6 });
      expect([listed?.etag ?? etag, (await store.head("a.html"))?.etag]).toEqual([etag, etag]);
      expect(etag).toBeDefined();
    });

    test.each(named)("puts, lists, gets and deletes $name", async ({ key }) => {
      const store = await open();
      await store.put(artifact({ key }));
      await store.put(artifact({ key: "other.html" }));

      expect(await sorted(store.list(""))).toEqual([key, "other.html"].sort());
      expect(Buffer.from((await store.get(key))?.body ?? []).toString()).toBe(`<p>${key}</p>`);

      await store.delete([key]);

      expect(await sorted(store.list(""))).toEqual(["other.html"]);
    });

    test("delete ignores keys that do not exist", async () => {
      const store = await open();
      await store.put(artifact({ key: "a/index.html" }));

      await store.delete(["a", "a/index.html", "a/index.html/x", "never/written.html"]);
      await store.delete(["a/index.html"]);
      await store.delete([]);

      expect(await sorted(store.list(""))).toEqual([]);
    });

    test("erases as it deletes, when it keeps no versions", async () => {
      const store = await open();
      for (const key of ["a/index.html", "b/index.html"]) await store.put(artifact({ key }));

      await store.erase(["b/index.html"], { keepsCurrent: true });
      await store.erase(["a/index.html", "never/written.html"]);

      expect(await sorted(store.list(""))).toEqual(["b/index.html"]);
    });

    test("deletes more than a thousand keys and leaves the rest", async () => {
      const store = await open();
      const keys = Array.from({ length: 1_101 }, (_, at) => `pages/${at}/index.html`);
      await Promise.all(keys.map((key) => store.put(artifact({ key }))));

      expect(await sorted(store.list("pages/"))).toEqual(keys.toSorted());
      await store.delete(keys.slice(0, 1_001));

      expect(await sorted(store.list(""))).toEqual(keys.slice(1_001).toSorted());
    });

    test.skipIf(!keepsHeaders)(
      "keeps type, cache control, language and metadata of each put",
      async () => {
        const store = await open();
        const key = "feed.xml";
        await store.put(artifact({ key, metadata: { "cache-tag": "old", gone: "x" } }));
        const headers = {
          contentType: "application/atom+xml",
          cacheControl: "public, max-age=60",
          contentLanguage: "pt-BR",
          metadata: { "cache-tag": "a1,b2" },
        };
        await store.put(artifact({ key, ...headers }));

        expect(await store.get(key)).toMatchObject(headers);
      },
    );

    test("tells keys apart that differ in case only, or says that it does not", async () => {
      const store = await open();
      await store.put(artifact({ key: "tags/Analytics/index.html" }));
      await store.put(artifact({ key: "tags/analytics/index.html" }));

      const keys = await sorted(store.list(""));
      expect(keys.length === 2 || store.foldsCase).toBe(true);
    });
  });
}
