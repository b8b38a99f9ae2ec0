import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answered, firstPace, leftToBuilds, type Pace, slowed } from "../../src/publish/pace.ts";

const full = { isFull: true };
const limits = ({ limit }: Pace) => limit;
const after = (pace: Pace, answers: number) =>
  Array.from({ length: answers }).reduce<Pace>((at) => answered(at, full), pace);

test("it begins with a few requests and doubles with every round of answers", () => {
  const first = firstPace(100);
  const second = after(first, limits(first));

  expect([first, second, after(second, limits(second))].map(limits)).toEqual([4, 8, 16]);
});

test("it never begins or grows beyond its ceiling", () => {
  expect(limits(firstPace(2))).toBe(2);
  expect(limits(after(firstPace(10), 1000))).toBe(10);
});

test("it does not grow while fewer are under way than allowed", () => {
  expect(answered(firstPace(10), { isFull: false })).toEqual(firstPace(10));
});

test("it is halved when the store asks to slow down, and grows by one a round from there", () => {
  const half = slowed(after(firstPace(64), 28), { epoch: 0 });

  expect([half, after(half, 16), after(half, 16 + 17)].map(limits)).toEqual([16, 17, 18]);
});

test("requests that were under way together halve it once", () => {
  const half = slowed(firstPace(8), { epoch: 0 });

  expect(slowed(half, { epoch: 0 })).toBe(half);
  expect(limits(slowed(half, half))).toBe(1);
});

test("one request is always allowed", () => {
  let pace = firstPace(8);
  for (let n = 0; n < 10; n += 1) pace = slowed(pace, pace);

  expect([limits(pace), leftToBuilds(pace)]).toEqual([1, 1]);
});

test("builds leave a quarter to editors where there is one", () => {
  const left = [1, 3, 4, 7, 8, 32].map((limit) => leftToBuilds({ ...firstPace(64), limit }));

  expect(left).toEqual([1, 3, 3, 6, 6, 24]);
});

describe("whatever happens", () => {
  const event = fc.oneof(fc.constant("slow"), fc.constant("full"), fc.constant("idle"));
  test("the limit stays from 1 to the ceiling, and of that builds get at least 1", () => {
    fc.assert(
      fc.property(fc.array(event), fc.integer({ min: 1, max: 70 }), (events, ceiling) => {
        let pace = firstPace(ceiling);
        for (const each of events) {
          pace = each === "slow" ? slowed(pace, pace) : answered(pace, { isFull: each === "full" });
          expect(pace.limit).toBeGreaterThanOrEqual(1);
          expect(pace.limit).toBeLessThanOrEqual(ceiling);
          expect(leftToBuilds(pace)).toBeGreaterThanOrEqual(1);
        }
      }),
    );
  });
});
