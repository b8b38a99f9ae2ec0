import { expect, test } from "vitest";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { deleteConditions, tryDeleteConditions } from "../../src/pipeline/delete-conditions.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import type { ObjectStore } from "../../src/publish/store.ts";
import type { Artifact } from "../../src/site.ts";

/** A store that says nothing of its conditions, and keeps them as `deletes` does. */
function silent(
  objects: Map<string, Artifact>,
  deletes?: (inner: ObjectStore) => ObjectStore["delete"],
) {
  const inner = memoryStore(objects);
  return { ...inner, deleteConditions: undefined, delete: deletes?.(inner) ?? inner.delete };
}

test.each([
  ["together", undefined],
  [
    "singly",
    (inner: ObjectStore): ObjectStore["delete"] =>
      (keys, deletion) =>
        inner.delete(keys, deletion?.isSingle ? deletion : {}),
  ],
  [
    "ignored",
    (inner: ObjectStore): ObjectStore["delete"] =>
      (keys) =>
        inner.delete(keys),
  ],
  // E.g. a server that does not know its own entity tags.
  [
    "ignored",
    (inner: ObjectStore): ObjectStore["delete"] =>
      async (keys, { expected } = {}) =>
        expected === undefined ? await inner.delete(keys) : keys,
  ],
])("a try finds that deletes keep their conditions: %s", async (conditions, deletes) => {
  const objects = new Map<string, Artifact>();
  await using ledger = await openSqliteLedger(":memory:");
  const tied = { ledger, store: silent(objects, deletes) };

  expect(await deleteConditions(tied)).toBe(conditions);

  expect([...objects.keys()]).toEqual([]);
  // It is noted: a store that could not be asked any more keeps them.
  const { store } = tied;
  const failing = { ...store, delete: () => Promise.reject(new Error("asked")) };
  expect(await deleteConditions({ ledger, store: failing })).toBe(conditions);
  await expect(tryDeleteConditions({ ledger, store: failing })).rejects.toThrow("asked");
});
