import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openRadosgwCourse } from "../race/course.ts";
import { describeWith } from "../services/requires.ts";
import { artifact } from "./artifact.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2024, 0, 1) + 500 }));
afterEach(() => void vi.useRealTimers());

describeWith("shared-radosgw", "S3 whose time is told in seconds", () => {
  test("takes what ends in this very second", async () => {
    await using course = await openRadosgwCourse("sqlite");

    await course.store.put(artifact({ key: "a" }), { until: () => Date.now() + 400 });

    expect([...course.objects.keys()]).toEqual(["a"]);
  });
});
