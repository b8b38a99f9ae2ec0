import { guessAll } from "./init/guess.ts";
import { siteText } from "./init/site-text.ts";
import { templateTexts } from "./init/template-text.ts";
import type { InventoryTable } from "./source/inventory.ts";

/** What a site is begun with. */
export interface Begun {
  readonly definition: string;
  /** Path below `templates/` → text. */
  readonly templates: ReadonlyMap<string, string>;
  readonly tables: number;
  /** Names of the kinds that have a page for each row. */
  readonly pages: readonly string[];
}

/** Writes a definition and its templates for a database of this schema. Pure; `name` is the title. */
export function begin(inventory: readonly InventoryTable[], name: string): Begun {
  const guesses = guessAll(inventory);
  return {
    definition: siteText(guesses, name),
    templates: templateTexts(guesses),
    tables: guesses.filter(({ left }) => left === undefined).length,
    pages: guesses.flatMap(({ page }) => (typeof page === "string" ? [] : page.kind)),
  };
}
