import { describe, expect, test } from "vitest";
import { bytes, duration } from "../../src/cli/format.ts";
import { advance, IDLE, leftover } from "../../src/cli/run-state.ts";
import { summaryText } from "../../src/cli/summary.ts";
import type { RunEvent } from "../../src/events.ts";
import { summary } from "./fakes.ts";

const article = {
  kind: "article",
  live: 1234,
  candidates: 1234,
  rendered: 20,
  changed: 10,
  deleted: 1,
  failed: 2,
  bytes: 45_600,
};

test("a summary counts pages by kind and says what was done", () => {
  const { kind: _, live: __, ...counts } = article;
  const text = summaryText(
    summary({ ...counts, release: 7, invalidated: 11, unlinked: 1, kinds: [article] }),
  );

  expect(text).toBe(
    [
      "Kind      Live  Candidates  Rendered  Changed  Deleted  Failed    Bytes",
      "article  1,234       1,234        20       10        1       2  45.6 kB",
      "All      1,234       1,234        20       10        1       2  45.6 kB",
      "",
      "Release 7: 10 pages put (45.6 kB), 1 deleted, 11 items invalidated, in 0.5 s.",
      "Links in bodies that led nowhere: 1; their text stays.",
      "2 pages failed; the last good version of each stays live.",
      "",
    ].join("\n"),
  );
});

test("a run that changed nothing says so", () => {
  expect(summaryText(summary())).toContain("\nNothing changed. (0.5 s)\n");
});

test("a run says where its rows came from", () => {
  const read = { server: "db2:3306", isPrimary: false, rows: 4012, replicaShare: 1 };
  const replica = summaryText(summary({ read: { ...read, position: "mariadb:0-1-8" } }));
  const primary = summaryText(summary({ read: { ...read, isPrimary: true } }));

  expect(replica).toContain("4,012 rows read from the replica db2:3306 at mariadb:0-1-8 or later.");
  expect(primary).toContain("4,012 rows read from the primary db2:3306.");
});

describe("what is left", () => {
  const left = (...events: RunEvent[]) =>
    leftover(events.reduce((state, event) => advance(state, event, 0), IDLE));

  test("before publishing is everything", () => {
    expect(left({ event: "phase", phase: "scan" }, progress("scan", 1500))).toBe(
      'Stopped at "Scanning" (1,500 done). Nothing was published.',
    );
  });

  test("while publishing is the rest of the phase and the phases after it", () => {
    expect(left({ event: "phase", phase: "lists", total: 300 }, progress("lists", 120))).toBe(
      'Stopped at "Lists" (120 of 300 done, 180 left). Not begun: Feeds and sitemaps, Deletes. ' +
        "What was published is complete; the rest is as it was.",
    );
  });

  function progress(phase: string, done: number): RunEvent {
    return { event: "progress", phase, done };
  }
});

test.each([
  [0.004, "0 s"],
  [0.42, "0.42 s"],
  [12.34, "12.3 s"],
  [59.97, "1:00 min"],
  [125, "2:05 min"],
  [3725, "1:02:05 h"],
])("%d seconds are %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1 kB"],
  [999_600, "1 MB"],
  [1_234_567, "1.23 MB"],
])("%d bytes are %s", (value, text) => {
  expect(bytes(value)).toBe(text);
});
