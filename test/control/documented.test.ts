import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type ProblemDocument, problemOf } from "../../src/control/problem.ts";
import { REBUILD } from "../../src/control/rebuild-request.ts";
import { type Desk, routesOf } from "../../src/control/routes.ts";
import { type ErrorCode, PipelineError } from "../../src/error.ts";

const REFERENCE = readFileSync(
  new URL("../../docs/reference/http-api.md", import.meta.url),
  "utf8",
);

/** Rows of the table with this head, as cells. */
function rows(head: string): readonly (readonly string[])[] {
  const [, after = ""] = REFERENCE.split(`${head}\n|---|---|\n`);
  const [table = ""] = after.split("\n\n");
  return table
    .trim()
    .split("\n")
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const names = (text = "") => [...text.matchAll(/`([a-z_A-Z]+)`/g)].map(([, name]) => name);

test("the reference names every route and what it takes, and none that is not there", () => {
  // No route looks at anything before it is asked.
  const routes = routesOf({} as Desk);

  const told = rows("| Request | Scope |").map(([request, scopes]) => [
    request,
    names(scopes).slice(0, 2),
  ]);

  expect(told).toEqual(
    routes.map(({ method, path, scopes }) => [`\`${method} ${path}\``, [...scopes]]),
  );
});

test("the reference names every field of a rebuild", () => {
  const told = rows("| Field | |").flatMap(([field]) => names(field));

  expect(told.toSorted()).toEqual(Object.keys(REBUILD.properties).toSorted());
});

test("the reference's statuses are those of the codes", () => {
  for (const [status, text] of rows("| Status | Code |")) {
    const [code] = names(text);
    const error = code === "bug" ? new Error("x") : new PipelineError(code as ErrorCode, "x");
    const problem: ProblemDocument = problemOf(error, "1");
    expect([code, problem.code, String(problem.status)]).toEqual([code, code, status]);
  }
});
