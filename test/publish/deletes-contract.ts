import { describe, expect, test } from "vitest";
import type { ObjectStore } from "../../src/publish/store.ts";
import { artifact, sorted } from "./artifact.ts";

const OTHER = '"00000000000000000000000000000000"';

/** What a store must do that keeps the conditions of deletes, asked for in one of the two ways. */
export function describeDeletes(
  open: () => Promise<ObjectStore>,
  { isSingle }: { readonly isSingle: boolean },
): void {
  describe(isSingle ? "deletes asked for one by one" : "deletes asked for together", () => {
    const named = (etags: Readonly<Record<string, string | undefined>>) => {
      const tags = Object.entries(etags).map(([key, etag]) => [key, etag ?? ""] as const);
      return { expected: new Map(tags), isSingle };
    };
    const keysIn = (store: ObjectStore) => sorted(store.list(""));

    test("go where the object is the one expected, and stay where it is another", async () => {
      const store = await open();
      const etag = await store.put(artifact({ key: "a+b/ü/index.html" }));
      await store.put(artifact({ key: "b.html" }));
      const expected = named({ "a+b/ü/index.html": etag, "b.html": OTHER });

      expect(await store.delete([...expected.expected.keys()], expected)).toEqual(["b.html"]);

      expect(await keysIn(store)).toEqual(["b.html"]);
    });

    test("of what is not there, and of what nothing is expected of, are done", async () => {
      const store = await open();
      await store.put(artifact({ key: "a.html" }));

      const refused = await store.delete(["a.html", "none.html"], named({ "none.html": OTHER }));

      // Some servers call what is not there another than what was expected.
      expect(["", "none.html"]).toContain(refused.join());
      expect(await keysIn(store)).toEqual([]);
    });

    test("expect the last of the versions that were put", async () => {
      const store = await open();
      const first = await store.put(artifact({ key: "a.html", body: Buffer.from("1") }));
      const second = await store.put(artifact({ key: "a.html", body: Buffer.from("2") }));

      expect(await store.delete(["a.html"], named({ "a.html": first }))).toEqual(["a.html"]);
      expect(await store.delete(["a.html"], named({ "a.html": second }))).toEqual([]);

      expect(await store.head("a.html")).toBeUndefined();
    });

    test("of more than a thousand objects leave those that are others", async () => {
      const store = await open();
      const count = isSingle ? 30 : 1_050;
      const keys = Array.from({ length: count }, (_, at) => `pages/${1000 + at}/index.html`);
      const etags: (string | undefined)[] = [];
      for (let at = 0; at < count; at += 50) {
        const some = keys.slice(at, at + 50).map((key) => store.put(artifact({ key })));
        etags.push(...(await Promise.all(some)));
      }
      const [first = "", last = ""] = [keys[0], keys.at(-1)];
      const own = Object.fromEntries(keys.map((key, at) => [key, etags[at]]));

      const refused = await store.delete(keys, named({ ...own, [first]: OTHER, [last]: OTHER }));

      expect([...refused].sort()).toEqual([first, last]);
      expect(await keysIn(store)).toEqual([first, last]);
    });
  });
}
