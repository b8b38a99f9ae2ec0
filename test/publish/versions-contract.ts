import { expect, test } from "vitest";
import type { ObjectStore } from "../../src/publish/store.ts";
import { artifact } from "./artifact.ts";

const KEY = "articles/a+b é/index.html";
const made = (text: string, metadata = {}) =>
  artifact({ key: KEY, body: Buffer.from(text), metadata });

/** What a store must do that keeps versions and the conditions of puts. */
export function describeVersions(open: () => Promise<ObjectStore>): void {
  test("says that it keeps versions", async () => {
    expect(await (await open()).keepsVersions()).toBe(true);
  });

  test("gives what an object was, the newest first, also when it is deleted", async () => {
    const store = await open();
    const tags = await Promise.all([store.put(made("first", { "cache-tag": "a" }))]);
    tags.push(await store.put(made("second")));
    await store.put(artifact({ key: `${KEY}l` }));
    await store.delete([KEY]);

    const versions = await store.versions(KEY);

    expect(versions.map(({ etag }) => etag)).toEqual(tags.toReversed());
    const [second, first] = versions.map(({ version }) => version);
    expect(await textOf(store, second)).toBe("second");
    expect(await textOf(store, first)).toBe("first");
    expect(await store.head(KEY, first)).toMatchObject({
      etag: tags[0],
      metadata: { "cache-tag": "a" },
    });
    expect(await store.get(KEY)).toBeUndefined();
    expect(await store.versions("articles/a")).toEqual([]);
  });

  test("puts a version again under the headers and the name of the new write", async () => {
    const store = await open();
    const first = made("first", { "cache-tag": "a" });
    const etag = await store.put(first, { id: "run-1" });
    await store.delete([KEY]);
    const [version] = await store.versions(KEY);
    const copyOf = version?.version;

    const again = await store.put(
      { ...first, body: new Uint8Array() },
      { id: "run-2", copyOf, expected: null },
    );

    expect(again).toBe(etag);
    expect(await textOf(store)).toBe("first");
    const { hash, metadata, contentType, cacheControl } = first;
    const headers = { metadata, contentType, cacheControl };
    expect(await store.head(KEY)).toMatchObject({
      ...headers,
      writeId: "run-2",
      hash: hash.toString("hex"),
    });
  });

  test("erases an object with all it was, and no other", async () => {
    const store = await open();
    const other = `${KEY}l`;
    for (const text of ["first", "second"]) await store.put(made(text));
    await store.delete([KEY]);
    await store.put(made("third"));
    for (const key of [other, `${KEY}/deeper`]) await store.put(artifact({ key }));
    const all = await store.versions(KEY);
    expect(all).toHaveLength(3);

    await store.erase([KEY, "never/written"]);
    await store.erase([KEY]);

    expect(await store.versions(KEY)).toEqual([]);
    for (const { version } of all) expect(await store.get(KEY, version)).toBeUndefined();
    expect(await store.get(KEY)).toBeUndefined();
    expect(await store.versions(other)).toHaveLength(1);
    expect(await store.get(`${KEY}/deeper`)).toBeDefined();
  });

  test("erases all that an object was, and keeps what it is", async () => {
    const store = await open();
    for (const text of ["first", "second"]) await store.put(made(text));
    await store.delete([KEY]);
    await store.put(made("third"));
    await store.put(artifact({ key: "gone" }));
    await store.delete(["gone"]);

    await store.erase([KEY, "gone", "never"], { keepsCurrent: true });

    expect(await textOf(store)).toBe("third");
    expect(await store.versions(KEY)).toHaveLength(1);
    expect(await store.versions("gone")).toEqual([]);
    expect(await store.get("gone")).toBeUndefined();
  });

  test("a copy expects what a put does", async () => {
    const store = await open();
    const first = await store.put(made("first"));
    const second = await store.put(made("second"));
    const oldest = (await store.versions(KEY)).at(-1);
    const copyOf = oldest?.version;
    const conflict = { code: "store_conflict", at: { key: KEY } };

    for (const expected of [null, first]) {
      await expect(store.put(made("first"), { copyOf, expected })).rejects.toMatchObject(conflict);
    }

    expect(await textOf(store)).toBe("second");
    await store.put(made("first"), { copyOf, expected: second });
    expect(await textOf(store)).toBe("first");
    await store.delete([KEY]);
    await expect(store.put(made("first"), { copyOf, expected: first })).rejects.toMatchObject(
      conflict,
    );
  });
}

async function textOf(store: ObjectStore, version?: string): Promise<string> {
  return Buffer.from((await store.get(KEY, version))?.body ?? []).toString();
}
