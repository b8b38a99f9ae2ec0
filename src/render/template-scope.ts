import { encodeRoute } from "../site.ts";
import { clock, date, longDate, plain, time } from "./format.ts";
import { SafeHtml } from "./safe-html.ts";

/** What a template gets as `it`. */
export type TemplateData = Readonly<Record<string, unknown>>;

/** Names by which templates reach what is outside of `it`; see {@link loadTemplates}. */
export const HELPERS = { date, time, longDate, clock, plain, href: encodeRoute } as const;

/** Globals that give equal results on every machine and at every time; templates see no others. */
const PURE_GLOBALS: ReadonlySet<string> = new Set(
  (
    "undefined NaN Infinity Object Array String Number Boolean BigInt Map Set JSON RegExp Error " +
    "TypeError RangeError isNaN isFinite parseInt parseFloat encodeURIComponent decodeURIComponent"
  ).split(" "),
);

/** Not properties of the global object, but in scope of some modules. */
const MODULE_NAMES = ["require", "module", "exports", "__filename", "__dirname"];

/** The names that are undefined while a template runs: clock, chance, network, process … */
export function shadowedNames(): readonly string[] {
  const globals = Object.getOwnPropertyNames(globalThis);
  return [...new Set([...globals, ...MODULE_NAMES])].filter(
    (name) => !PURE_GLOBALS.has(name) && name !== "Math" && /^[A-Za-z_$][\w$]*$/.test(name),
  );
}

/** `Math` without chance. */
export const PURE_MATH: unknown = pureMath();

function pureMath(): unknown {
  const { random: _, ...members } = Object.getOwnPropertyDescriptors(Math);
  return Object.freeze(Object.create(Object.prototype, members));
}

/**
 * Prints `<%~ %>`.
 * @throws TypeError for anything but sanitised HTML, included templates and a layout's body
 */
export function raw(value: unknown): string {
  if (value instanceof SafeHtml) return value.html;
  const kind = value === null ? "null" : typeof value;
  throw new TypeError(`<%~ %> was given a value that is ${kind} and not sanitised HTML`);
}

/** The absolute form of a route, for `url(route)`. */
export function absolute(it: TemplateData, route: string): string {
  const { origin } = it["site"] as { readonly origin: string };
  return origin + encodeRoute(route);
}
