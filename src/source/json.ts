import type { Json } from "../site.ts";
import { Flaw } from "./flaw.ts";

/**
 * Reads JSON as a canonical value: members sorted by name, so that two spellings of one value
 * render the same, too.
 * @throws Flaw when the text is no JSON or holds half of a surrogate pair or an infinite number
 */
export function parseJson(text: string): Json {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    throw new Flaw("holds text that is not JSON");
  }
  return canonical(value);
}

/** The same value with sorted members; {@link parseJson} says what is refused. */
export function canonical(value: Json): Json {
  if (typeof value === "string") return wellFormed(value);
  if (typeof value === "number") return finite(value);
  if (value === null || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(canonical);
  const members = Object.entries(value as { readonly [key: string]: Json });
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, each]) => [wellFormed(name), canonical(each)]));
}

function wellFormed(text: string): string {
  if (text.isWellFormed()) return text;
  throw new Flaw("holds JSON with half of a surrogate pair");
}

function finite(number: number): number {
  // 1e400 reads as Infinity. Adding 0 turns -0, which JSON writes as 0, into 0.
  if (Number.isFinite(number)) return number + 0;
  throw new Flaw("holds JSON with a number that is too large");
}
