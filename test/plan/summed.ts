import type { PlanContext } from "../../src/plan/context.ts";
import { digestOf, encodeKey } from "../../src/site.ts";
import type { Decoded, KeyRange, RowRanges, Rows } from "../../src/source/source.ts";

/** The same context over rows that can be summed up, in ranges of `size`; they are read for that. */
export function summed(context: PlanContext, size: number): PlanContext {
  const { rows } = context;
  const ranges: RowRanges = {
    size,
    sums: (table, see, all) =>
      Promise.all(
        all.map(async (range) => {
          const whole = { see, after: undefined, limit: 100_000 };
          const found = (await rows.scan(table, whole)).filter((row) => isWithin(row, range));
          const values = found.map(({ key, row, error }) => [key, row, error?.message]);
          return { rows: found.length, text: digestOf(values).toString("hex") };
        }),
      ),
  };
  return { ...context, rows: { ...rows, ranges } };
}

/** The rows of `context`, whose scans are noted as `2<x<=5`. */
export function noted(context: PlanContext, scans: string[]): PlanContext {
  const scan: Rows["scan"] = async (table, query) => {
    scans.push(`${query.after ?? ""}<x<=${query.upTo ?? ""}`);
    return await context.rows.scan(table, query);
  };
  return { ...context, rows: { ...context.rows, scan } };
}

/** By bytes of encoded keys, not as the statements of a source do it. */
function isWithin({ key }: Decoded, { after, upTo }: KeyRange): boolean {
  const bytes = encodeKey(key ?? []);
  const isAfter = after === undefined || Buffer.compare(bytes, encodeKey(after)) > 0;
  return isAfter && (upTo === undefined || Buffer.compare(bytes, encodeKey(upTo)) <= 0);
}
