import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { ASSUMED, PRICES, runCost } from "../bench/cost-model.ts";
import { besides, costTables } from "../bench/cost-tables.ts";
import { TERMS } from "../src/invalidate/terms.ts";
import { siteTemplate } from "./edge/site-template.ts";

const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8");

test("the page of costs says what its formulas give", () => {
  const page = read("docs/reference/costs.md");
  const tables = [...costTables([1e4, 1e6, 1e7], 0.01).values(), besides()];

  expect(tables.filter((each) => !page.includes(each))).toEqual([]);
  expect(page.split("|---|---:").length - 1).toBe(tables.length);
});

test("what it assumes of the stack is what stands there", () => {
  const { params } = parse(read("serverless.yml"), { logLevel: "silent" });

  expect(params.default).toMatchObject({ runMemory: ASSUMED.runMb, helpMemory: ASSUMED.runMb });
  expect(siteTemplate().Parameters["SiteVersionDays"]?.Default).toBe(ASSUMED.versionDays);
});

test("a million pages cost what is worked out by hand", () => {
  const { putUsd, refetchUsd, seconds, lambdaUsd } = runCost(1e6, { changed: 1e6, items: 1 });

  expect([putUsd, refetchUsd]).toEqual([5, 4]);
  // 1,000,000 / 280 + 2 × 15 + 25
  expect(seconds).toBeCloseTo(3571.43 + 30 + 25, 1);
  expect(lambdaUsd).toBeCloseTo(3626.43 * 2.9375 * 0.0000133334, 4);
  // The page's advice: from so many items a night on, everything is cheaper than each.
  const breakEven = (1e6 * ASSUMED.regions * 0.4e-6) / TERMS.itemUsd;
  expect(breakEven).toBeCloseTo(800, 6);
  expect(PRICES.storedGb).toBe(0.023);
});
