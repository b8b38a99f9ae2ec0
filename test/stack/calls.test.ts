import { expect, test } from "vitest";
import calls from "./calls.json" with { type: "json" };
import { recordCalls } from "./recorded.ts";

test("AWS is asked for what calls.json says, and for nothing else", async () => {
  expect(await recordCalls()).toEqual(calls);
});
