import { expect, test } from "vitest";
import { stopper } from "../../src/cli/stopper.ts";
import { clock } from "./fakes.ts";

function started() {
  const time = clock();
  const done: string[] = [];
  const signal = stopper({
    now: time.now,
    abort: (reason) => done.push(reason.code),
    exit: (code) => done.push(`exit ${code}`),
    say: () => {},
  });
  return { signal, time, done };
}

test("the first signal stops the run cleanly", () => {
  const { signal, done } = started();

  signal();

  expect(done).toEqual(["interrupted"]);
});

test("npm's copy of the same Ctrl-C changes nothing", () => {
  const { signal, time, done } = started();

  signal();
  time.pass(20);
  signal();

  expect(done).toEqual(["interrupted"]);
});

test("a second Ctrl-C ends the process at once", () => {
  const { signal, time, done } = started();

  signal();
  time.pass(1000);
  signal();

  expect(done).toEqual(["interrupted", "exit 130"]);
});
