import fc from "fast-check";
import {
  type AnyList,
  type AnyTable,
  appendOnly,
  bigint,
  type Column,
  encodeKey,
  instant,
  int,
  type Row,
  table,
  text,
  visibility,
} from "../../src/site.ts";
import { pick } from "./model.ts";

/** The moment at which sample rows are read. */
export const NOW = Date.UTC(2026, 0, 1) * 1000;

/** Texts that databases like to take for equal, or order otherwise than their UTF-8 bytes. */
export const TEXTS = [
  "",
  " ",
  "a",
  "A",
  "a ",
  "a\t",
  "a\u0000",
  "a\u0000b",
  "á",
  "a\u0301",
  "ß",
  "ss",
  "ﬁ",
  "fi",
  "İ",
  "日本",
  "\ud7ff",
  "\ue000",
  "\ufffd",
  "\uffff",
  "😀",
  "\u{10ffff}",
  "100%_\\'\"`;--",
];

/** Before, at and after {@link NOW}, to the microsecond; the first and last second of DATETIME, too. */
export const INSTANTS = [
  -30_610_224_000_000_000,
  -1,
  0,
  1,
  999_999,
  NOW - 1,
  NOW,
  NOW + 1,
  NOW + 123_456,
  253_402_300_799_000_000,
];

export const INTS = [Number.MIN_SAFE_INTEGER, -256, -1, 0, 1, 9, 10, 255, Number.MAX_SAFE_INTEGER];
export const BIGINTS = [-(2n ** 63n), -(2n ** 53n) - 1n, 0n, 2n ** 53n + 1n, 2n ** 63n - 1n];

interface Type {
  readonly column: () => Column<unknown>;
  readonly values: readonly unknown[];
}

const TYPES: readonly Type[] = [
  { column: () => text({ max: 20 }), values: TEXTS },
  { column: int, values: INTS },
  { column: bigint, values: BIGINTS },
  { column: instant, values: INSTANTS },
];

/** A table with rows and a list over it. */
export interface Sample {
  readonly table: AnyTable;
  readonly list: AnyList;
  readonly rows: readonly Row[];
}

const type = fc.constantFrom(...TYPES);

/** Any key, partition, order and visibility, of any types, with many ties. */
export const samples: fc.Arbitrary<Sample> = fc
  .record({
    key: fc.array(type, { minLength: 1, maxLength: 2 }),
    part: fc.option(type),
    order: fc.array(type, { maxLength: 2 }),
    isNullable: fc.boolean(),
    isShown: fc.boolean(),
    isFrom: fc.boolean(),
    isTimed: fc.boolean(),
    isUntil: fc.boolean(),
    isItem: fc.boolean(),
  })
  .chain(({ key, part, order, isNullable, isShown, isFrom, isTimed, isUntil, isItem }) => {
    const keyColumns = entries("k", key);
    const partColumns = entries("p", part === null ? [] : [part]);
    const orderColumns = entries("o", order);
    const free = [...partColumns, ...orderColumns].map(([name, each]) => [name, each] as const);
    const declared = Object.fromEntries([
      ...keyColumns.map(([name, { column }]) => [name, column()]),
      ...free.map(([name, { column }]) => [name, isNullable ? column().nullable() : column()]),
      ["body", text()],
      ["shown", int()],
      ["since", instant()],
      ["ends", instant().nullable()],
    ]) as Readonly<Record<string, Column<unknown>>>;
    const names = keyColumns.map(([name]) => name);
    const made: AnyTable = table("samples", { key: names, columns: declared });
    const list: AnyList = {
      name: "samples",
      table: made,
      by: part === null ? undefined : "p0",
      order: [...(isTimed ? ["since"] : []), ...orderColumns.map(([name]) => name), ...names],
      visible: visibility({
        show: isShown ? { shown: 1 } : {},
        from: isFrom ? "since" : undefined,
        until: isUntil ? "ends" : undefined,
      }),
      see: ["body"],
      // Entries lead by columns that they do not show.
      item: isItem
        ? { kind: "page", key: [...names, ...orderColumns.map(([name]) => name)] }
        : undefined,
      links: partColumns.length > 0 ? { part: { literals: ["/", "/"], columns: ["p0"] } } : {},
      head: 20,
      cut: appendOnly(),
    };
    const row = fc.record({
      ...Object.fromEntries(
        keyColumns.map(([name, { values }]) => [name, fc.constantFrom(...values)]),
      ),
      ...Object.fromEntries(
        free.map(([name, { values }]) => [
          name,
          fc.constantFrom(...values, ...(isNullable ? [null] : [])),
        ]),
      ),
      body: fc.string({ unit: "grapheme", maxLength: 20 }),
      shown: fc.constantFrom(0, 1, 1),
      since: fc.constantFrom(...INSTANTS),
      ends: fc.constantFrom(null, null, ...INSTANTS),
    });
    const rows = fc.uniqueArray(row, {
      maxLength: 60,
      selector: (each) => encodeKey(pick(each, names)).toString("hex"),
    });
    return rows.map((each) => ({ table: made, list, rows: each }));
  });

function entries(prefix: string, types: readonly Type[]): readonly (readonly [string, Type])[] {
  return types.map((each, at) => [`${prefix}${at}`, each] as const);
}
