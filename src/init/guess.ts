import type { InventoryTable } from "../source/inventory.ts";
import { type DeclaredTable, declareTable } from "./declared.ts";
import { guessList, type ListGuess } from "./list-guess.ts";
import { constantsOf, kindsOf } from "./names.ts";
import { guessPage, type PageGuess } from "./page-guess.ts";

/** What a site definition could say of one table. */
export interface Guess extends DeclaredTable {
  /** Its pages, or why none are guessed. */
  readonly page: PageGuess | string;
  /** Its newest rows as a list, or why there is none. */
  readonly list: ListGuess | string;
}

/** Guesses of all tables, in their order. */
export function guessAll(inventory: readonly InventoryTable[]): readonly Guess[] {
  const tables = new Map(inventory.map((table) => [table.name, table]));
  const names = inventory.map(({ name }) => name);
  const [constants, kinds] = [constantsOf(names), kindsOf(names)];
  const declared = inventory.map((table) =>
    declareTable(tables, table, {
      constant: constants.get(table.name) ?? "",
      listConstant: constants.get(`newest ${table.name}`) ?? "",
      kind: kinds.get(table.name) ?? "",
    }),
  );
  const usable = new Map(declared.map((each) => [each.table.name, each]));
  return declared.map((each): Guess => {
    if (each.left !== undefined) return { ...each, page: each.left, list: each.left };
    const page = guessPage(usable, each);
    const list = typeof page === "string" ? "it has no pages" : guessList(each, page);
    return { ...each, page, list };
  });
}
