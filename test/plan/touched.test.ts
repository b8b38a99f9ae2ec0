import { expect, test } from "vitest";
import { Touched } from "../../src/plan/touched.ts";
import type { Row } from "../../src/site.ts";
import { byTopic, HOUR, NOW, post, stream } from "./plan-site.ts";

const PAST = NOW - HOUR;

test("a row touches its place in its partition", () => {
  const touched = new Touched();
  touched.image(byTopic, post(1, { at: PAST }), NOW);
  touched.image(stream, post(1, { at: PAST }), NOW);

  expect(touched.take()).toEqual([
    { list: byTopic, part: "x", places: [[PAST, 1]] },
    { list: stream, part: undefined, places: [[PAST, 1]] },
  ]);
});

test.each<[string, Row | undefined]>([
  ["a row that is not there", undefined],
  ["a row that readers may not see", post(1, { status: "draft" })],
  ["a row to come", post(1, { at: NOW + 1 })],
  ["a row in no partition", post(1, { topic: null })],
  ["a row without a place in the order", post(1, { id: null })],
])("%s touches nothing", (_, row) => {
  const touched = new Touched();
  touched.image(byTopic, row, NOW);

  expect(touched.take()).toEqual([]);
});

test("without a moment a row counts whether or not readers may see it", () => {
  const touched = new Touched();
  touched.image(byTopic, post(1, { status: "draft", at: NOW + 1 }), undefined);

  expect(touched.take()).toEqual([{ list: byTopic, part: "x", places: [[NOW + 1, 1]] }]);
});

test("places come once each and oldest first, whatever the order they were touched in", () => {
  const touched = new Touched();
  for (const id of [300, 7, 20, 7]) touched.place(byTopic, { part: "x", order: [PAST, id] });
  touched.place(byTopic, { part: "x", order: [PAST - 1, 400] });
  touched.place(byTopic, { part: "y", order: [PAST, 1] });

  expect(touched.take()).toEqual([
    {
      list: byTopic,
      part: "x",
      places: [
        [PAST - 1, 400],
        [PAST, 7],
        [PAST, 20],
        [PAST, 300],
      ],
    },
    { list: byTopic, part: "y", places: [[PAST, 1]] },
  ]);
});

test("a partition may be looked at without a place", () => {
  const touched = new Touched();
  touched.part(byTopic, "x");
  touched.part(stream, "x");
  touched.place(stream, { part: null, order: [PAST, 1] });

  expect(touched.take()).toEqual([
    { list: byTopic, part: "x", places: [] },
    { list: stream, part: undefined, places: [[PAST, 1]] },
  ]);
});

test("what was taken is forgotten", () => {
  const touched = new Touched();
  touched.part(byTopic, "x");
  touched.take();

  expect(touched.take()).toEqual([]);
});
