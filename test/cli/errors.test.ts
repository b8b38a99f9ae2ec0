import { describe, expect, test } from "vitest";
import { errorRecord, exitCodeOf, printErrors } from "../../src/cli/errors.ts";
import { PipelineError } from "../../src/error.ts";
import { page } from "./fakes.ts";

const refused = new Error("connect ECONNREFUSED");
const source = new PipelineError("source_unavailable", "The database does not answer.", {
  hint: "Start it.",
  at: { host: "db" },
  cause: new Error("no connection", { cause: refused }),
});
const stopped = new PipelineError("interrupted", "The run was stopped.");

function printed(error: unknown, options = { isJson: false, isVerbose: false }) {
  const [out, err] = [page(), page()];
  printErrors(error, { out, err }, options);
  return { out: out.text(), err: err.text() };
}

describe("an error is printed", () => {
  test("with code, message, place and hint", () => {
    expect(printed(source).err).toBe(
      "source_unavailable: The database does not answer.\n  at host=db\n  Start it.\n",
    );
  });

  test("with its causes only when asked for", () => {
    expect(printed(source, { isJson: false, isVerbose: true }).err).toContain(
      "  because: Error: no connection\n  because: Error: connect ECONNREFUSED\n",
    );
  });

  test("as one line of JSON", () => {
    const { out, err } = printed(source, { isJson: true, isVerbose: false });

    expect(err).toBe("");
    expect(JSON.parse(out)).toEqual({
      event: "error",
      code: "source_unavailable",
      message: "The database does not answer.",
      hint: "Start it.",
      at: { host: "db" },
      problems: [],
    });
  });

  test("without the control characters a row may hold", () => {
    const error = new PipelineError("row_invalid", "Bad \u001b]0;title\u0007 \u202etxt.");

    expect(printed(error).err).toBe("row_invalid: Bad \\u001b]0;title\\u0007 \\u202etxt.\n");
  });

  test("each of several, what failed first before what failed while stopping", () => {
    const error = new SuppressedError(new AggregateError([stopped, refused]), source);

    const codes = printed(error, { isJson: true, isVerbose: false })
      .out.trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { code: string }).code);

    expect(codes).toEqual(["source_unavailable", "interrupted", "bug"]);
  });
});

test("an unforeseen error is told as a bug, with its stack", () => {
  const record = errorRecord(new TypeError("x is not a function"), { isVerbose: false });

  expect(record).toMatchObject({ code: "bug", message: expect.stringContaining("errors.test.ts") });
});

test("causes that lead to each other end", () => {
  const [one, two] = [new Error("one"), new Error("two")];
  one.cause = two;
  two.cause = one;

  expect(errorRecord(one, { isVerbose: true }).causes).toHaveLength(10);
});

test.each([
  [source, false, 2],
  [source, true, 3],
  [stopped, false, 3],
  [new SuppressedError(source, stopped), false, 3],
  [refused, false, 2],
])("%s after publishing (%s) exits with %d", (error, hasPublished, code) => {
  expect(exitCodeOf(error, { hasPublished })).toBe(code);
});
