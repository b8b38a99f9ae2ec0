import { type DeclaredTable, isPresent, namesOf } from "./declared.ts";
import type { PageGuess } from "./page-guess.ts";
import { CREATED, FROM } from "./words.ts";

/** The rows of a table, newest first. */
export interface ListGuess {
  readonly constant: string;
  readonly kind: string;
  /** The instant that orders it; the key follows. */
  readonly at: string;
  readonly order: readonly string[];
  readonly see: readonly string[];
  /** Statements that its columns need first; until then it stands as a comment. */
  readonly mend: readonly string[];
}

/** Guesses a list of a table with pages; a text says why there is none. */
export function guessList(declared: DeclaredTable, page: PageGuess): ListGuess | string {
  const { table, listConstant: constant, kind } = declared;
  const instants = namesOf(declared).filter((name) => isPresent(declared, name, "instant"));
  const at =
    instants.find((name) => FROM.test(name)) ?? instants.find((name) => CREATED.test(name));
  if (at === undefined) return "no column without NULL says when a row is from";
  const order = [at, ...table.key.filter((name) => name !== at)];
  const compared = [...order, ...page.visible.show.map(([name]) => name)];
  return {
    constant,
    kind: `newest-${kind}`,
    at,
    order,
    see: [...new Set([page.title, at])],
    mend: [...new Set(compared.flatMap((name) => table.columns.get(name)?.collate ?? []))],
  };
}
