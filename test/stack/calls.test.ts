import { afterEach, expect, test, vi } from "vitest";
import calls from "./calls.json" with { type: "json" };
import { recordCalls } from "./recorded.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

test("AWS is asked for what calls.json says, and for nothing else", async () => {
  expect(await recordCalls()).toEqual(calls);
});
