import { expect, test } from "vitest";
import { mysqlError } from "../../src/source/mysql-error.ts";

function vendor(parts: object): Error {
  return Object.assign(new Error("driver"), { sql: "INSERT … 's3cret'" }, parts);
}

test.each<[{ fatal?: true; code?: string; errno?: number; sqlMessage?: string }, string]>([
  [{ code: "ER_LOCK_DEADLOCK", errno: 1213, sqlMessage: "Deadlock" }, "source_unavailable"],
  [{ errno: 1969, sqlMessage: "max_statement_time exceeded" }, "source_unavailable"],
  [{ code: "ETIMEDOUT" }, "source_unavailable"],
  [{ fatal: true }, "source_unavailable"],
  [{ code: "ER_NET_PACKET_TOO_LARGE", errno: 1153 }, "source_rejected"],
  [{ code: "ER_DUP_ENTRY", errno: 1062, sqlMessage: "Duplicate entry" }, "source_rejected"],
])("%j becomes %s, without the statement", (parts, code) => {
  const error = mysqlError(vendor(parts));

  expect(error).toMatchObject({ code, message: expect.stringContaining(parts.sqlMessage ?? "") });
  expect(JSON.stringify(error) + String((error as Error).cause)).not.toContain("s3cret");
  expect((error as Error).cause).not.toHaveProperty("sql");
});

test("a packet that is too large says what to raise", () => {
  expect(mysqlError(vendor({ code: "ER_NET_PACKET_TOO_LARGE" }))).toMatchObject({
    hint: expect.stringContaining("max_allowed_packet"),
  });
});

test("a bug stays a bug", () => {
  const bug = new TypeError("x is not a function");

  expect(mysqlError(bug)).toBe(bug);
});
