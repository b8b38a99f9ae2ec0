import { expect, test } from "vitest";
import { type DryRunStep, dryRunStore } from "../../src/publish/dry-run-store.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import { artifact, sorted } from "./artifact.ts";

test("a dry run reads the store, reports what it would do and changes nothing", async () => {
  const store = memoryStore();
  const [old, next] = [artifact({ key: "old.html" }), artifact({ key: "new.html" })];
  await store.put(old);
  const steps: DryRunStep[] = [];
  const dry = dryRunStore(store, (step) => steps.push(step));

  await dry.put(next);
  await dry.delete(["old.html"]);

  expect(steps).toEqual([
    { action: "put", artifact: next },
    { action: "delete", key: "old.html" },
  ]);
  expect(await dry.get("old.html")).toMatchObject({ body: Uint8Array.from(old.body) });
  expect(await sorted(store.list(""))).toEqual(["old.html"]);
});
