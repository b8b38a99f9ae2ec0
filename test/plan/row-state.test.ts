import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  appendOnly,
  around,
  bigint,
  bool,
  defineSite,
  instant,
  int,
  json,
  link,
  list,
  listPage,
  markdown,
  one,
  oneOf,
  path,
  rowPage,
  table,
  tag,
  text,
} from "../../src/index.ts";
import {
  dueAt,
  knownImage,
  knownRow,
  rowState,
  type TableUse,
  tableUses,
} from "../../src/plan/row-state.ts";
import { encodeKey, type Key, type KeyPart, type Row } from "../../src/site.ts";
import { BIGINTS, INSTANTS, INTS, NOW, TEXTS } from "../source/samples.ts";

const things = table("things", {
  key: ["tenant", "kind", "id"],
  columns: {
    tenant: bigint(),
    kind: oneOf("new", "old"),
    id: int(),
    slug: text({ max: 99 }),
    title: text(),
    body: text(),
    author: text({ max: 99 }).nullable(),
    topic: text({ max: 99 }),
    size: bigint(),
    flag: bool(),
    mood: oneOf("sad", "glad").nullable(),
    count: int(),
    live_from: instant(),
    live_until: instant().nullable(),
    list_until: instant().nullable(),
    changed_at: instant(),
    tagged: text(),
    extra: json().nullable(),
    linked: text({ max: 99 }),
    unused: text().nullable(),
  },
});

const joins = table("joins", {
  key: "id",
  columns: { id: text({ max: 99 }), name: text(), unused: int() },
});

const byTopic = list(things, {
  by: "topic",
  order: ["live_from", "size", "tenant", "kind", "id"],
  show: { flag: true, mood: "glad" },
  until: "list_until",
  see: ["count"],
  item: link("thing", "tenant", "kind", "id"),
  links: (row) => ({ other: path`/other/${row.linked}/` }),
  cut: appendOnly(),
});

const site = defineSite({
  origin: "https://small.example",
  title: "Small",
  pages: {
    thing: rowPage(things, {
      show: { tenant: 7n },
      from: "live_from",
      until: "live_until",
      see: ["title", "body", "extra"],
      route: (row) => path`/${row.slug}/`,
      html: { body: markdown("body") },
      reads: {
        author: one(joins, { key: "author", see: ["name"] }),
        near: around(byTopic, { part: "topic", before: 1, after: 1 }),
      },
      tags: (row) => [tag("tagged", row.tagged)],
      lastmod: "changed_at",
      template: "thing",
    }),
    topic: listPage(byTopic, { route: (part) => path`/topics/${part}/`, template: "list" }),
  },
});

const [use, joined] = tableUses(site, [things, joins]) as readonly [TableUse, TableUse];

const row: fc.Arbitrary<Row> = fc.record({
  tenant: fc.constantFrom(7n, ...BIGINTS),
  kind: fc.constantFrom("new", "old"),
  id: fc.constantFrom(...INTS),
  slug: fc.constantFrom(...TEXTS),
  title: fc.string(),
  body: fc.string(),
  author: fc.constantFrom(null, ...TEXTS),
  topic: fc.constantFrom(...TEXTS),
  size: fc.constantFrom(...BIGINTS),
  flag: fc.boolean(),
  mood: fc.constantFrom(null, "sad", "glad"),
  count: fc.constantFrom(...INTS),
  live_from: fc.constantFrom(...INSTANTS),
  live_until: fc.constantFrom(null, ...INSTANTS),
  list_until: fc.constantFrom(null, ...INSTANTS),
  changed_at: fc.constantFrom(...INSTANTS),
  tagged: fc.string(),
  extra: fc.option(fc.jsonValue()),
  linked: fc.constantFrom(...TEXTS),
  unused: fc.option(fc.string()),
});

const THING: Row = {
  tenant: 7n,
  kind: "new",
  id: 1,
  slug: "a",
  title: "A",
  body: "*a*",
  author: "ann",
  topic: "x",
  size: 1n,
  flag: true,
  mood: "glad",
  count: 0,
  live_from: NOW,
  live_until: null,
  list_until: null,
  changed_at: NOW,
  tagged: "t",
  extra: { b: [1, null], a: "x" },
  linked: "b",
  unused: "u",
};

function keyOf(from: Row): Key {
  return things.key.map((name) => from[name] as KeyPart);
}

function stateOf(from: Row, now = NOW) {
  const decoded = { key: keyOf(from), row: from };
  const state = rowState(use, decoded, now);
  if (state === undefined) throw new Error("A row with a key has a state.");
  return knownRow(use, decoded, state);
}

function pick(from: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}

describe("what the ledger knows of a row", () => {
  test("has the columns that pages read, and those that say where it stands apart", () => {
    const all = Object.keys(things.columns).filter((name) => name !== "unused");
    const standing = ["topic", "live_from", "size", "flag", "mood", "list_until", "live_until"];

    expect([...use.see].sort()).toEqual(all.sort());
    expect([...use.deps].sort()).toEqual(standing.sort());
    expect(use.hasPages).toBe(true);
    expect([...use.moments].sort()).toEqual(["list_until", "live_from", "live_until"]);
    expect(joined).toMatchObject({ see: ["name"], deps: [], hasPages: false });
  });

  test("gives the key and those columns back as they were, of every type", () => {
    const names = [...things.key, ...use.deps];
    fc.assert(
      fc.property(row, (each) => {
        const state = stateOf(each);

        expect(state.key).toEqual(encodeKey(keyOf(each)));
        expect(knownImage(use, state)).toEqual(pick(each, names));
      }),
      { numRuns: 300 },
    );
  });

  test.each([...use.see])("is other when %s is", (name) => {
    const others = fc.sample(row, { numRuns: 60, seed: 1 });
    const before = stateOf(THING);

    const hashes = others
      .filter((each) => each[name] !== THING[name])
      .map((each) => stateOf({ ...THING, [name]: each[name] }).hash);

    expect(hashes.length).toBeGreaterThan(5);
    for (const hash of hashes) expect(Buffer.from(hash).equals(before.hash)).toBe(false);
  });

  test("is the same whatever unused columns hold, and however JSON is written", () => {
    const same = { ...THING, unused: null, extra: { a: "x", b: [1, null] } };

    expect(stateOf(same)).toEqual(stateOf(THING));
  });

  test("tells NULL, empty text, 0 and false apart, and values from their neighbours'", () => {
    const rows = [
      { author: null },
      { author: "" },
      { author: "null" },
      { title: "A", body: "B" },
      { title: "B", body: "A" },
      { extra: null },
      { extra: "null" },
      { extra: 0 },
      { extra: false },
      { extra: { bigint: "1" } },
      { mood: null },
    ];
    const hashes = rows.map((each) => Buffer.from(stateOf({ ...THING, ...each }).hash));

    expect(new Set(hashes.map((hash) => hash.toString("hex"))).size).toBe(rows.length);
  });
});

describe("a bad row", () => {
  const bad = (message: string, rest: Row) => {
    const error = Object.assign(new Error(message), { name: "PipelineError" }) as never;
    const decoded = { key: keyOf(THING), error, rest };
    const state = rowState(use, decoded, NOW);
    return state && knownRow(use, decoded, state);
  };

  test("is known by why it is bad, and by what is good of it", () => {
    const { topic: _, ...rest } = THING;
    const known = bad("topic holds NULL", rest);
    if (known === undefined) throw new Error("It has a key.");

    expect(knownImage(use, known)).toMatchObject({ ...pick(THING, ["flag", "mood"]), topic: null });
    expect(bad("topic holds NULL", rest)).toEqual(known);
    expect(bad("topic holds text", rest)?.hash).not.toEqual(known.hash);
    expect(bad("topic holds NULL", { ...rest, title: "B" })?.hash).not.toEqual(known.hash);
    expect(stateOf({ ...THING, topic: null }).hash).not.toEqual(known.hash);
  });

  test("without a key is not known", () => {
    const error = new Error("id holds text") as never;

    expect(rowState(use, { key: undefined, error, rest: THING }, NOW)).toBeUndefined();
  });
});

test.each([
  ["its first moment to come", { live_from: NOW + 5, live_until: NOW + 9 }, NOW + 5],
  ["the end that comes first", { live_until: NOW + 7, list_until: NOW + 9 }, NOW + 7],
  ["the other end when it comes first", { live_until: NOW + 9, list_until: NOW + 7 }, NOW + 7],
  ["no moment that is over, nor now", { live_from: NOW, live_until: NOW - 1 }, undefined],
  ["never without a moment", { live_from: NOW - 1 }, undefined],
  ["one microsecond on", { live_from: NOW + 1 }, NOW + 1],
])("a row is due at %s", (_, moments, at) => {
  expect(dueAt(use, { ...THING, ...moments }, NOW)).toBe(at);
  expect(stateOf({ ...THING, ...moments }).dueAt).toBe(at);
});
