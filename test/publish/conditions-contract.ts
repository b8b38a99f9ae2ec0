import { expect, test } from "vitest";
import type { ObjectStore } from "../../src/publish/store.ts";
import { artifact } from "./artifact.ts";

const KEY = "articles/a/index.html";
const version = (text: string) => artifact({ key: KEY, body: Buffer.from(text) });
const conflict = { code: "store_conflict", at: { key: KEY }, hint: expect.any(String) };

/** What a store must do that keeps the conditions of puts. */
export function describeConditions(open: () => Promise<ObjectStore>): void {
  test("a put that expects no object is refused where there is one", async () => {
    const store = await open();
    await store.put(version("first"), { expected: null });

    await expect(store.put(version("second"), { expected: null })).rejects.toMatchObject(conflict);

    expect(Buffer.from((await store.get(KEY))?.body ?? []).toString()).toBe("first");
  });

  test("a put that expects an object replaces that one only", async () => {
    const store = await open();
    const first = await store.put(version("first"));
    const second = await store.put(version("second"), { expected: first });

    await expect(store.put(version("third"), { expected: first })).rejects.toMatchObject(conflict);

    expect((await store.head(KEY))?.etag).toBe(second);
    await store.put(version("fourth"), { expected: second });
    expect(Buffer.from((await store.get(KEY))?.body ?? []).toString()).toBe("fourth");
  });

  test("a put that expects an object is refused where there is none", async () => {
    const store = await open();
    const etag = await store.put(version("first"));
    await store.delete([KEY]);

    await expect(store.put(version("second"), { expected: etag })).rejects.toMatchObject(conflict);

    expect(await store.head(KEY)).toBeUndefined();
  });

  test("of many puts that expect no object one arrives", async () => {
    const store = await open();
    const puts = Array.from({ length: 20 }, (_, n) =>
      store.put(version(String(n)), { expected: null }),
    );

    const ends = await Promise.allSettled(puts);

    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("tells who wrote an object and its hash, and keeps that out of its headers", async () => {
    const store = await open();
    const own = { ...version("text"), metadata: { "cache-tag": "a1" } };
    const etag = await store.put(own, { id: "run-1" });

    expect(await store.head(KEY)).toMatchObject({
      ...{ etag, writeId: "run-1", hash: own.hash.toString("hex") },
      ...{ contentType: own.contentType, metadata: own.metadata },
    });
    expect((await store.get(KEY))?.metadata).toEqual({ "cache-tag": "a1" });
  });
}
