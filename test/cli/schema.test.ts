import { join } from "node:path";
import { expect, test } from "vitest";
import { command, ROOT } from "./nightbake.ts";

const CONFIG = ["--config", join(ROOT, "site.config.ts")];

test("prints a script of the kind of database that is asked for, or what the one that is set lacks", async () => {
  const [mysql, sqlite, diff, other] = await Promise.all([
    command(["schema", "--for", "mysql", ...CONFIG]),
    command(["schema", ...CONFIG]),
    command(["schema", "--diff", "--json", ...CONFIG]),
    command(["schema", "--for", "oracle", ...CONFIG]),
  ]);

  expect(mysql.out).toMatch(/^SET NAMES utf8mb4;\nSET time_zone = '\+00:00', sql_mode = /);
  expect(mysql.out).toContain("COLLATE utf8mb4_0900_bin NOT NULL,\n");
  expect(mysql.code).toBe(0);
  expect(sqlite.out).toMatch(/^-- articles: The table is missing\.\nCREATE TABLE "articles" \(\n/);
  expect(sqlite.out).toContain('json_each(listed."tags")');
  expect(JSON.parse(diff.out.split("\n")[0] ?? "")).toMatchObject({
    event: "statement",
    place: "articles",
  });
  expect(diff.code).toBe(1);
  expect(other.err).toContain("There are mariadb, mysql, sqlite.");
});
