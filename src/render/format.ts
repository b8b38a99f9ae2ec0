/** The five characters that end text or an attribute value in HTML and XML. */
const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const NEEDS_ESCAPE = /[&<>"']/;
const ALL_ESCAPES = /[&<>"']/g;

/**
 * Escapes a value for text and for quoted attributes, in HTML and XML alike.
 * @throws TypeError for anything but a string or a number: a page never says "undefined"
 */
export function escapeText(value: unknown): string {
  if (typeof value === "string") {
    return NEEDS_ESCAPE.test(value) ? value.replace(ALL_ESCAPES, escapeChar) : value;
  }
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  const kind = value === null ? "null" : typeof value;
  throw new TypeError(`a value is ${kind}, and only text and numbers can be printed`);
}

/** Months as people write them; fixed, so that no locale or ICU release changes a page. */
const MONTHS =
  "January February March April May June July August September October November December".split(
    " ",
  );

/** The UTC day of an instant in µs, e.g. `2024-03-12`. */
export function date(instant: number): string {
  return iso(instant).slice(0, -14);
}

/** An instant in µs to the second, e.g. `2024-03-12T09:30:00Z`. */
export function time(instant: number): string {
  return `${iso(instant).slice(0, -5)}Z`;
}

/** The UTC day of an instant in µs in words, e.g. `12 March 2024`. */
export function longDate(instant: number): string {
  const day = date(instant);
  const month = MONTHS[Number(day.slice(-5, -3)) - 1];
  return `${Number(day.slice(-2))} ${month} ${day.slice(0, -6)}`;
}

/** The UTC time of day of an instant in µs, e.g. `09:30`. */
export function clock(instant: number): string {
  return iso(instant).slice(-13, -8);
}

/**
 * One line of text of at most `max` UTF-16 units: white space is collapsed, and text that is too
 * long ends in "…" after a whole word, or in scripts without spaces after a whole character.
 */
export function plain(text: string, max: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  if (line.length <= max) return line;
  let end = line.lastIndexOf(" ", max - 1);
  if (end < max / 2) {
    end = max - 1;
    while (end > 0 && isInsideCharacter(line, end)) end--;
  }
  return `${line.slice(0, end).replace(/[\s,;:.]+$/, "")}…`;
}

/** Marks, skin tones and joiners belong to the character before them. */
const EXTENDS = /^[\p{Mark}\p{Emoji_Modifier}\u200c\u200d]/u;

function isInsideCharacter(text: string, at: number): boolean {
  const isLowSurrogate = (text.charCodeAt(at) & 0xfc00) === 0xdc00;
  const isJoined = text.charCodeAt(at - 1) === 0x200d;
  return isLowSurrogate || isJoined || EXTENDS.test(text.slice(at, at + 2));
}

function iso(instant: number): string {
  return new Date(Math.floor(instant / 1000)).toISOString();
}

function escapeChar(char: string): string {
  return ESCAPES[char] ?? char;
}
