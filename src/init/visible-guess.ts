import type { DeclaredTable } from "./declared.ts";
import {
  DELETED_AT,
  FROM,
  HIDDEN_FLAG,
  SHOWN_FLAG,
  STATUS,
  UNTIL,
  VISIBLE_VALUES,
} from "./words.ts";

/** Which rows readers may see. */
export interface VisibleGuess {
  /** Column and value as code: `["status", '"published"']`. */
  readonly show: readonly (readonly [column: string, code: string])[];
  readonly from: string | undefined;
  readonly until: string | undefined;
  /** All columns that decide it. */
  readonly columns: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Guesses which rows are for readers. In doubt it shows fewer: a status that is free text must be
 * "published", and of one that says nothing the text tells so.
 */
export function guessVisible({ columns }: DeclaredTable): VisibleGuess | string {
  const all = [...columns].flatMap(([name, each]) =>
    each.left === undefined ? [{ name, ...each }] : [],
  );
  const show = all.flatMap(({ name, builder, code }) => {
    const value = shownValue(name, builder, code);
    return value === undefined ? [] : [[name, value] as const];
  });
  const unclear = all.find(({ name }) => STATUS.test(name) && !show.some(([own]) => own === name));
  if (unclear !== undefined) return `nobody can tell which ${unclear.name} is for readers`;
  const instants = all.filter(({ builder }) => builder === "instant").map(({ name }) => name);
  const from = instants.find((name) => FROM.test(name));
  const until = instants.find((name) => UNTIL.test(name));
  const told = [
    ...show.map(([name, value]) => `${name} is ${value}`),
    ...(from === undefined ? [] : [`${from} is over`]),
    ...(until === undefined ? [] : [`${until} is not`]),
  ];
  const notes =
    told.length === 0
      ? ["Every row is shown; if some are drafts, say so with show, from and until."]
      : [`Shown are rows whose ${told.join(", ")}: is that what drafts are told by?`];
  const columnsOf = [...show.map(([name]) => name), from, until];
  return { show, from, until, notes, columns: columnsOf.filter((each) => each !== undefined) };
}

function shownValue(name: string, builder: string, code: string): string | undefined {
  if (builder === "bool") {
    if (SHOWN_FLAG.test(name)) return "true";
    return HIDDEN_FLAG.test(name) ? "false" : undefined;
  }
  if (builder === "instant") return DELETED_AT.test(name) && isNullable(code) ? "null" : undefined;
  if (!STATUS.test(name)) return undefined;
  if (builder === "text") return '"published"';
  if (builder !== "oneOf") return undefined;
  const values = VISIBLE_VALUES.map((each) => JSON.stringify(each));
  return values.find((each) => code.includes(each));
}

function isNullable(code: string): boolean {
  return code.endsWith(".nullable()");
}
