import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporary } from "./fakes.ts";
import { nightbake, ROOT } from "./nightbake.ts";

test("follow refuses the embedded source, which has no log, and makes nothing", async () => {
  const cwd = temporary();
  const config = join(ROOT, "site.config.ts");

  const { code, err } = await nightbake(["follow", "--config", config], { cwd });

  expect(code).toBe(2);
  expect(err).toContain("config_invalid: The embedded source has no log to follow.");
  expect(err).toContain("DATABASE_URL");
  expect(readdirSync(cwd)).toEqual([]);
});
