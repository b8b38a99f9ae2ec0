import {
  type AnyList,
  appendOnly,
  bigint,
  bool,
  instant,
  int,
  json,
  list,
  oneOf,
  table,
  text,
} from "../../src/site.ts";
import type { Decoded, Rows, Source } from "../../src/source/source.ts";
import { NOW } from "./samples.ts";

/** A table whose stored form lets bad values in. */
export const loose = table("loose", {
  key: "id",
  columns: {
    id: int(),
    title: text({ max: 50 }),
    size: bigint(),
    flag: bool(),
    at: instant(),
    data: json().nullable(),
    kind: oneOf("a", "b"),
  },
});

export const looseList: AnyList = list(loose, {
  order: ["at", "id"],
  see: ["title"],
  cut: appendOnly(),
});

/** `ok`, or column and reason of each problem, by key; all columns are read. */
export async function verdicts(source: Source): Promise<Readonly<Record<string, unknown>>> {
  await using rows = await source.read(NOW);
  const see = Object.keys(loose.columns);
  const read = await rows.scan(loose, { see, after: undefined, limit: 100 });
  return Object.fromEntries(read.map((each) => [String(each.key), verdict(each)]));
}

/** Ids in the list's order, and which of its entries are bad. */
export async function listed(rows: Rows): Promise<{ places: unknown; entries: unknown }> {
  const window = { part: null, first: "oldest", limit: 100 } as const;
  const [entries = []] = await rows.windows(looseList, [window]);
  return {
    places: (await rows.places(looseList, undefined, 100)).map(({ order }) => order[1]),
    entries: entries.map(verdict),
  };
}

function verdict({ key, row, error }: Decoded): unknown {
  if (row !== undefined) return "ok";
  const { code, at, problems, hint } = error;
  if (code !== "row_invalid" || at["table"] !== "loose" || hint === undefined) return error;
  if (key !== undefined && at["key"] !== key.join()) return error;
  return problems.map(({ place, message }) => `${place} ${message}`).join("; ");
}
