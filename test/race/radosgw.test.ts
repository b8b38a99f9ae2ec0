import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { describeWith, type Service } from "../services/requires.ts";
import { openRadosgwCourse } from "./course.ts";
import { race } from "./race.ts";

const SEED = Number(process.env["SEED"] ?? 1);
/** `npm run test:race` takes a minute. */
const SECONDS = Number(process.env["SECONDS"] ?? (process.env["RACE"] === undefined ? 3 : 60));
const LEDGER = process.env["LEDGER"] === "mariadb" ? "mariadb" : "sqlite";
const SERVERS: readonly Service[] =
  LEDGER === "mariadb" ? ["shared-radosgw", "shared-mariadb"] : ["shared-radosgw"];

vi.setConfig({ testTimeout: 3_600_000 });

// Claims end in a race, and nothing waits for that.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

describeWith(SERVERS, `four publishers of one site in S3, with a ledger in ${LEDGER}`, () => {
  test(`never put older data over newer in ${SECONDS} seconds and end exact, seed ${SEED}`, async () => {
    await using course = await openRadosgwCourse(LEDGER);
    const endMs = performance.now() + SECONDS * 1000;

    const sums = await race(course, SEED, () => performance.now() > endMs);

    console.info(`seed ${SEED}: ${JSON.stringify(sums)}`);
    expect(sums.puts).toBeGreaterThan(0);
  });
});
