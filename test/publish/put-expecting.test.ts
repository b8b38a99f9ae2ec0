import { expect, test } from "vitest";
import { memoryStore } from "../../src/publish/memory-store.ts";
import { putExpecting } from "../../src/publish/put-expecting.ts";
import { artifact } from "./artifact.ts";

const KEY = "articles/a/index.html";
const version = (text: string) => artifact({ key: KEY, body: Buffer.from(text) });

async function asked(work: (mayReplace: (key: string) => Promise<void>) => Promise<unknown>) {
  const keys: string[] = [];
  await work(async (key) => void keys.push(key));
  return keys;
}

test("an object that is as expected is replaced without asking", async () => {
  const store = memoryStore();
  const expected = await store.put(version("old"), { id: "before" });

  const keys = await asked((mayReplace) =>
    putExpecting(store, version("new"), { id: "run", expected, mayReplace }),
  );

  expect(keys).toEqual([]);
  expect((await store.head(KEY))?.writeId).toBe("run");
});

test("our own write, whose answer was lost, is taken as it is", async () => {
  const store = memoryStore();
  await store.put(version("new"), { id: "run", expected: null });

  const keys = await asked((mayReplace) =>
    putExpecting(store, version("new"), { id: "run", expected: null, mayReplace }),
  );

  expect(keys).toEqual([]);
});

test("what we wrote before in the same run is not taken for it", async () => {
  const store = memoryStore();
  await store.put(version("first"), { id: "run", expected: null });

  await asked((mayReplace) =>
    putExpecting(store, version("second"), { id: "run", expected: null, mayReplace }),
  );

  expect(Buffer.from((await store.get(KEY))?.body ?? []).toString()).toBe("second");
});

test("another hand's object is replaced once that is allowed", async () => {
  const store = memoryStore();
  await store.put(version("another's"), { id: "other" });

  const keys = await asked((mayReplace) =>
    putExpecting(store, version("ours"), { id: "run", expected: '"gone"', mayReplace }),
  );

  expect(keys).toEqual([KEY]);
  expect((await store.head(KEY))?.writeId).toBe("run");
});

test("another hand's object stays when it may not be replaced", async () => {
  const store = memoryStore();
  await store.put(version("another's"), { id: "other" });
  const mayReplace = () => Promise.reject(new Error("another run publishes"));

  const put = putExpecting(store, version("ours"), { id: "run", expected: null, mayReplace });

  await expect(put).rejects.toThrow("another run publishes");
  expect((await store.head(KEY))?.writeId).toBe("other");
});

test("an object that changes again meanwhile is a conflict", async () => {
  const store = memoryStore();
  await store.put(version("another's"), { id: "other" });
  const mayReplace = async () => void (await store.put(version("and again"), { id: "other" }));

  const put = putExpecting(store, version("ours"), { id: "run", expected: null, mayReplace });

  await expect(put).rejects.toMatchObject({ code: "store_conflict" });
});
