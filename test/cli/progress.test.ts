import { describe, expect, test } from "vitest";
import { progressView } from "../../src/cli/progress.ts";
import { PipelineError } from "../../src/error.ts";
import type { RunEvent } from "../../src/events.ts";
import { clock, page, summary } from "./fakes.ts";

function view(options: { isTTY?: boolean; isJson?: boolean; columns?: number } = {}) {
  const [out, err, time] = [page(), page(options), clock()];
  const isJson = options.isJson ?? false;
  const shown = progressView({ out, err, now: time.now, isJson, isVerbose: false });
  /** 100 a second. */
  const go = (phase: "scan" | "new", total: number, upTo = total) => {
    shown.emit({ event: "phase", phase, total });
    for (let done = 100; done <= upTo; done += 100) {
      time.pass(1000);
      shown.emit({ event: "progress", phase, done, total });
    }
  };
  return { ...shown, out, err, time, go };
}

const failure: RunEvent = {
  event: "failed",
  kind: "article",
  key: "42\u001b[2J",
  error: new PipelineError("row_invalid", "The title is NULL.", { at: { column: "title" } }),
};

describe("in a log", () => {
  test("a phase gives a line every five seconds and one at its end", () => {
    const { emit, go, err } = view();

    go("new", 1200);
    emit({ event: "summary", summary: summary() });

    expect(err.text()).toBe(
      [
        "New pages: 500 of 1,200 (41%), 100/s, 7 s left",
        "New pages: 1,000 of 1,200 (83%), 100/s, 2 s left",
        "New pages: 1,200 in 12 s (100/s)",
        "",
      ].join("\n"),
    );
  });

  test("a phase with nothing to do is silent", () => {
    const { emit, err } = view();

    emit({ event: "phase", phase: "assets", total: 0 });
    emit({ event: "summary", summary: summary() });

    expect(err.text()).toBe("");
  });

  test("a phase without a total leaves no line, since its count is of the last report", () => {
    const { emit, err, time } = view();

    emit({ event: "phase", phase: "read articles" });
    time.pass(5000);
    emit({ event: "progress", phase: "read articles", done: 1000 });
    emit({ event: "phase", phase: "write articles", total: 0 });

    expect(err.text()).toBe("Reading articles: 1,000, 200/s\n");
  });

  test("a failure names the page, and no value of a row reaches the terminal as a command", () => {
    const { emit, err } = view();

    emit(failure);

    expect(err.text()).toBe(
      "article 42\\u001b[2J row_invalid: The title is NULL.\n  at column=title\n",
    );
  });

  test("twenty failures are printed, then only that there are more", () => {
    const { emit, err, state } = view();

    for (let nth = 0; nth < 50; nth += 1) emit(failure);

    expect(err.text().match(/row_invalid/g)).toHaveLength(20);
    expect(err.text()).toMatch(/20 failures are shown; --json shows all\.\n$/);
    expect(state().failed).toBe(50);
  });
});

describe("on a terminal", () => {
  test("the bar shows rate and time left and fits the line", () => {
    const { go, err } = view({ isTTY: true, columns: 200 });

    go("new", 400, 100);

    expect(err.text()).toBe(
      "\r\x1b[2KNew pages  ██████░░░░░░░░░░░░░░░░░░  100/400  25%  100/s  3 s left",
    );
  });

  test("the bar is cut to the width of the terminal", () => {
    const { go, err } = view({ isTTY: true, columns: 20 });

    go("new", 400, 100);

    expect(err.text().replace("\r\x1b[2K", "")).toHaveLength(19);
  });

  test("the bar is drawn at most ten times a second", () => {
    const { emit, err, time } = view({ isTTY: true });

    emit({ event: "phase", phase: "scan", total: 1000 });
    for (let done = 1; done <= 1000; done += 1) {
      time.pass(1);
      emit({ event: "progress", phase: "scan", done, total: 1000 });
    }

    expect(err.text().split("\r").length - 1).toBe(10);
  });

  test("what is printed takes the bar away first", () => {
    const { go, emit, err } = view({ isTTY: true });

    go("new", 400, 100);
    emit({ event: "note", message: "The store was wiped." });

    expect(err.text().endsWith("\r\x1b[2KThe store was wiped.\n")).toBe(true);
  });
});

describe("with --json", () => {
  test("each line is one event", () => {
    const { emit, out, err } = view({ isJson: true });

    emit({ event: "note", message: "The store was wiped." });
    emit(failure);
    emit({ event: "summary", summary: summary({ release: 3 }) });

    const lines = out
      .text()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { event: "note", message: "The store was wiped." },
      { event: "failed", kind: "article", error: { code: "row_invalid", at: { column: "title" } } },
      { event: "summary", release: 3, isDryRun: false },
    ]);
    expect(err.text()).toBe("");
  });

  test("progress comes at most once a second", () => {
    const { emit, out, time } = view({ isJson: true });

    emit({ event: "phase", phase: "scan" });
    for (let done = 1; done <= 3000; done += 1) {
      time.pass(1);
      emit({ event: "progress", phase: "scan", done });
    }

    expect(out.text().match(/"progress"/g)).toHaveLength(3);
  });
});

describe("a dry run", () => {
  test("prints each step with its reason in aligned columns, then the totals", () => {
    const { emit, out } = view();
    const step = { kind: "article", key: "1", phase: "new", action: "create" } as const;

    emit({ event: "step", step: { ...step, route: "/articles/a/", reason: "absent" } });
    emit({ event: "step", step: { ...step, route: "/b/", action: "delete", reason: "gone" } });
    emit({
      event: "summary",
      summary: summary({
        isDryRun: true,
        steps: [
          { phase: "new", kind: "article", action: "create", reason: "absent", count: 1 },
          { phase: "deletes", kind: "article", action: "delete", reason: "gone", count: 1 },
        ],
      }),
    });

    expect(out.text()).toBe(
      [
        "Route         Action  Reason",
        "/articles/a/  create  absent",
        "/b/           delete  gone",
        "",
        "Phase    Kind     Action  Reason  Pages",
        "new      article  create  absent      1",
        "deletes  article  delete  gone        1",
        "",
        "Would create 1, update 0, delete 1 pages; nothing was written. (dry run, 0.5 s)",
        "",
      ].join("\n"),
    );
  });

  test("with nothing to do says so", () => {
    const { emit, out } = view();

    emit({ event: "summary", summary: summary({ isDryRun: true }) });

    expect(out.text()).toBe("Nothing to do. (dry run, 0.5 s)\n");
  });
});
