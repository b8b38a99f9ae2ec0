import type { Kind, Making } from "../site.ts";
import { lastBasis } from "./basis.ts";
import type { PlanContext } from "./context.ts";

/** Names of the parts that are other than `last` says, or that it does not know. */
export function changedParts(last: Making | undefined, now: Making): readonly string[] {
  // A ledger of an older release knows of none, which says nothing.
  if (last === undefined) return [];
  return Object.keys(now).filter((name) => last[name] !== now[name]);
}

/**
 * Why pages of a kind have to be made anew although no row changed: `template:entry`,
 * `asset:style.css`, `definition:post`, `runtime:node` …; `template:KIND` when the last release had
 * the same parts, so that the page is older.
 */
export async function makingReason(kind: Kind, context: PlanContext): Promise<string> {
  const last = lastBasis(context);
  return changedParts(last?.parts, context.making(kind))[0] ?? `template:${kind.name}`;
}
