import { expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import { lineOf } from "../../src/lambda/log.ts";
import { once } from "../../src/lambda/once.ts";

test("an event is a line of JSON, an error in it has its code and hint, and no cause", () => {
  const cause = new Error("mysql://bake:s3cret@db");
  const error = new PipelineError("queue_unavailable", "It is away.", {
    ...{ hint: "Wait.", at: { queue: "editor" }, cause },
  });

  expect(JSON.parse(lineOf({ event: "trouble", error }))).toEqual({
    ...{ event: "trouble", code: "queue_unavailable", message: "It is away." },
    ...{ hint: "Wait.", at: { queue: "editor" } },
  });
  const bug = lineOf({ event: "trouble", error: new TypeError("a\nb") });
  expect(bug).not.toContain("\n");
  expect(JSON.parse(bug)).toEqual({ event: "trouble", code: "bug", message: "TypeError: a\nb" });
  expect(lineOf({ event: "helped", shards: 3 })).toBe('{"event":"helped","shards":3}');
});

test("what was opened is kept, what could not be opened is tried again", async () => {
  let tries = 0;
  const open = once(async () => {
    tries += 1;
    if (tries === 1) throw new Error("asked for");
    return { tries };
  });

  await expect(open()).rejects.toThrow("asked for");
  const [first, second] = await Promise.all([open(), open()]);

  expect(first).toEqual({ tries: 2 });
  expect(second).toBe(first);
});
