import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as adopted from "../../src/ledger/adopted.ts";
import * as former from "../../src/ledger/former.ts";
import * as jobs from "../../src/ledger/jobs.ts";
import * as known from "../../src/ledger/known.ts";
import * as live from "../../src/ledger/live.ts";
import * as past from "../../src/ledger/past.ts";
import * as ranges from "../../src/ledger/ranges.ts";
import type { SqlRow, Statement, Work } from "../../src/ledger/sql.ts";
import { openSqliteLedger, sqliteText } from "../../src/ledger/sqlite.ts";
import * as steps from "../../src/ledger/steps.ts";
import * as ticks from "../../src/ledger/ticks.ts";
import { article } from "./fixtures.ts";

const searches: Readonly<Record<string, [work: Work<unknown>, by: string]>> = {
  adopted: [adopted.adopted("a", 1), "PRIMARY KEY (object>?)"],
  adoptedAt: [adopted.adoptedAt(["a"]), "PRIMARY KEY (object=?)"],
  live: [live.live("article", undefined, 1), "PRIMARY KEY (kind=? AND page_key>?)"],
  pages: [live.pages([article(1)]), "PRIMARY KEY (kind=? AND page_key=?)"],
  liveAt: [live.liveAt(["/a/"]), "INDEX nb_live_index (fold=?)"],
  staged: [steps.staged("run", { limit: 1 }), "PRIMARY KEY (run=? AND kind>?)"],
  "staged of a kind": [
    steps.staged("run", { phase: "new", kind: "article", after: article(1), limit: 1 }),
    "PRIMARY KEY (run=? AND kind=? AND page_key>?)",
  ],
  stepsOf: [steps.stepsOf("run", [article(1)]), "PRIMARY KEY (run=? AND kind=? AND page_key=?)"],
  stagedAt: [steps.stagedAt("run", ["/a/"]), "INDEX nb_step_index (run=? AND fold=?)"],
  known: [known.known("posts", article(1).key, 1), "PRIMARY KEY (tbl=? AND row_key>?)"],
  knownOf: [known.knownOf("posts", [article(1).key]), "PRIMARY KEY (tbl=? AND row_key=?)"],
  ranges: [ranges.ranges("posts", article(1).key, 1), "PRIMARY KEY (tbl=? AND row_key>?)"],
  dueRows: [known.dueRows(5, undefined, 1), "PRIMARY KEY (due_at<?)"],
  "dueRows from one on": [
    known.dueRows(5, { dueAt: 1, table: "posts", key: article(1).key }, 1),
    "PRIMARY KEY (due_at>? AND due_at<?)",
  ],
  seen: [known.seen("run", undefined, 1), "PRIMARY KEY (run=? AND tbl>?)"],
  "seen from one on": [
    known.seen("run", { table: "posts", key: article(1).key }, 1),
    "PRIMARY KEY (run=? AND tbl=? AND row_key>?)",
  ],
  readers: [known.readers([article(1).key]), "PRIMARY KEY (read_key=?)"],
  readersBetween: [
    known.readersBetween(article(1).key, article(2).key),
    "PRIMARY KEY (read_key>? AND read_key<?)",
  ],
  lastUpTo: [known.lastUpTo("article", article(1).key), "PRIMARY KEY (kind=? AND page_key<?)"],
  former: [former.former("/a/", 1), "PRIMARY KEY (route>?)"],
  formerAt: [former.formerAt(["/a/"]), "PRIMARY KEY (route=?)"],
  formerOf: [former.formerOf([article(1)]), "INDEX nb_route_index (kind=? AND page_key=?)"],
  pastsOf: [
    past.pastsOf([article(1)], 1),
    "INDEX nb_past_index (kind=? AND page_key=? AND until_id>?)",
  ],
  keptJob: [jobs.keptJob(1), "PRIMARY KEY (id=?)"],
  keptJobs: [jobs.keptJobs({ limit: 1 }), "PRIMARY KEY (id<?)"],
  jobsIn: [jobs.jobsIn(0, 1), "INDEX nb_job_index (state=?)"],
  jobEvents: [jobs.jobEvents(1, 0, 1), "PRIMARY KEY (job=? AND id>?)"],
  ticks: [ticks.ticks("build", 1), "PRIMARY KEY (entry=?)"],
  dueMoments: [ticks.dueMoments(5, ["posts"]), "PRIMARY KEY (due_at<?)"],
  stagedFolded: [steps.stagedFolded("run", ["/a/"]), "INDEX nb_step_index (run=? AND fold=?)"],
  stagedClashes: [steps.stagedClashes("run", 1), "COVERING INDEX nb_step_index (run=? AND fold>?)"],
};

const folder = mkdtempSync(join(tmpdir(), "nightbake-plans-"));
const file = join(folder, "ledger.db");
beforeAll(async () => (await openSqliteLedger(file))[Symbol.asyncDispose]());
afterAll(() => rmSync(folder, { recursive: true }));

function explain(text: string): readonly string[] {
  using database = new DatabaseSync(file);
  const explained = `EXPLAIN QUERY PLAN ${sqliteText(text)}`;
  return database
    .prepare(explained)
    .all()
    .map(({ detail }) => String(detail))
    .filter((line) => !A_NAME.test(line));
}

/** A kind's or table's name is looked up among a handful. */
const A_NAME = /^(CORRELATED )?SCALAR SUBQUERY|^SEARCH nb_name USING/;

const START = Buffer.alloc(0);
const HASH = Buffer.alloc(8);

test("rows that were seen, and reads that were dropped, are sought one by one", () => {
  const reader = { ...article(1), read: article(1).key };
  const statements = [
    ...statementsOf(known.keepSeen("run"), [
      { known: 1 },
      { tbl: "posts", row_key: article(1).key, hash: null, deps: null, due_at: null },
      { row_key: article(1).key, hash: HASH, deps: HASH, due_at: 5 },
      { due_at: 5 },
      { row_key: START },
      { row_key: article(2).key },
      {},
      {},
      {},
      {},
      { tbl: "posts", row_key: START },
    ]),
    ...statementsOf(known.changeReaders([], [reader, reader]), [{ name: "article", id: 1 }]),
  ];
  const lines = statements
    .filter((text) => !text.startsWith("SELECT EXISTS"))
    .flatMap((text) => explain(text))
    .filter((line) => !/^INDEX \d/.test(line));

  expect(lines.join("\n")).not.toContain("SCAN");
  expect(lines).toContainEqual(expect.stringMatching(/nb_row .*\(tbl=\? AND row_key=\?\)/));
  const sought = lines.filter((line) => line.startsWith("SEARCH nb_range"));
  expect(sought.map((line) => line.split("row_key")[1])).toEqual(["<?)", ">?)", "=?)", "=?)"]);
  expect(lines).toContainEqual(
    expect.stringMatching(/nb_due .*\(due_at=\? AND tbl=\? AND row_key=\?\)/),
  );
  expect(lines).toContainEqual(
    expect.stringMatching(/nb_reader .*\(read_key=\? AND kind=\? AND page_key=\?\)/),
  );
});

test("kinds that are live are sought by the names there are", () => {
  const { text } = live.liveKinds().next().value as Statement;

  expect(explain(text)).toEqual([
    expect.stringMatching(/^SCAN nb_name/),
    expect.stringMatching(/^SEARCH nb_live .*\(kind=\?\)/),
  ]);
});

test("what pages were is swept in the order in which it is kept", () => {
  const swept = statementsOf(past.sweepPast(1, 1), []).filter((text) =>
    / FROM nb_past /.test(text),
  );

  expect(swept.map(explain)).toEqual([[expect.stringContaining("PRIMARY KEY (until_id<?)")]]);
});

test("pages that releases changed are sought in both tables", () => {
  const query = { kind: "article", after: article(1).key, limit: 1 };
  const { text } = past.changedSince(1, query).next().value as Statement;
  const lines = explain(text).join("\n");

  expect(lines).toMatch(
    /SEARCH nb_past USING COVERING INDEX nb_past_index \(kind=\? AND page_key>\?\)/,
  );
  expect(lines).toMatch(/SEARCH nb_live USING PRIMARY KEY \(kind=\? AND page_key>\?\)/);
});

test.for(Object.entries(searches))("%s seeks and sorts nothing", ([, [work, by]]) => {
  const { text } = work.next().value as Statement;

  expect(explain(text)).toEqual([expect.stringContaining(by)]);
});

/** Runs a work with one of these rows as the answer to each statement in turn; gives its statements. */
function statementsOf(work: Work<unknown>, answers: readonly SqlRow[]): readonly string[] {
  const texts: string[] = [];
  let step = work.next();
  for (let at = 0; !step.done; at += 1) {
    texts.push(step.value.text);
    step = work.next(answers.slice(at, at + 1));
  }
  return texts;
}
