import { canonicalJson, digestOf, type Making, tablesOf } from "../site.ts";
import type { PlanContext } from "./context.ts";
import { type TableUse, tableUses } from "./row-state.ts";

/** What the last release was made with; changes alone say what is stale only while it still holds. */
export interface Basis {
  /** µs; the moment at which visibility was judged. */
  readonly now: number;
  /** Fingerprint of each kind, in hexadecimal. */
  readonly prints: Readonly<Record<string, string>>;
  /** The parts of all kinds' fingerprints; unknown to ledgers of older releases. */
  readonly parts?: Making;
  /** Digest of the content files, assets and declared redirects. */
  readonly content: string;
  /** Which columns of which tables the row hashes cover. */
  readonly uses: string;
  /** The last import of a route history, if there was one. */
  readonly imported?: string;
}

const NOTE = "basis";
/** The ledger's note that changes whenever a route history is imported. */
export const IMPORTED = "imported";

/** How the site uses each of its tables. */
export function usesOf({ site }: PlanContext): readonly TableUse[] {
  return tableUses(site, tablesOf(site.kinds));
}

/** The basis of the last release; undefined before the first. */
export function lastBasis({ notes }: Pick<PlanContext, "notes">): Basis | undefined {
  const text = notes.get(NOTE);
  return text === undefined ? undefined : JSON.parse(text);
}

/** The basis of this run. */
export function basisOf(context: PlanContext, uses: readonly TableUse[]): Basis {
  const { site, now, notes, fingerprint, making } = context;
  const prints = site.kinds.map((kind) => [
    kind.name,
    Buffer.from(fingerprint(kind)).toString("hex"),
  ]);
  const columns = uses.map(({ table, see, deps }) => [table.name, see, deps]);
  const content = [[...context.content], context.assets.map(({ key }) => key), context.redirects];
  const imported = notes.get(IMPORTED);
  return {
    now,
    prints: Object.fromEntries(prints),
    parts: Object.assign({}, ...site.kinds.map(making)),
    content: digestOf(content).toString("hex"),
    uses: digestOf(columns).toString("hex"),
    ...(imported !== undefined && { imported }),
  };
}

/** The notes that make a run's basis the last one; written with its release. */
export function basisNotes(basis: Basis): Readonly<Record<string, string>> {
  return { [NOTE]: canonicalJson(basis) };
}

/** True when two bases differ in nothing but their moment. */
export function isSameBasis(a: Basis | undefined, b: Basis): boolean {
  return canonicalJson({ ...a, now: 0 }) === canonicalJson({ ...b, now: 0 });
}
