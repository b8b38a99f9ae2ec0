import type { Bar } from "../ledger/ledger.ts";
import type { ListedBar } from "../pipeline.ts";
import { decodeKey, keyName, type PageId } from "../site.ts";
import { instant } from "./format.ts";
import { plain } from "./terminal.ts";

/** `/articles/x/ (article 42) is taken down.` */
export function pageText(
  { kind, key, route }: PageId & { readonly route: string },
  does: string,
): string {
  return `${plain(`${route} (${kind} ${keyName(decodeKey(key))}) ${does}.`)}\n`;
}

/** The same for a program. */
export function told(event: string, { kind, key, route, reason, isErased }: Bar): object {
  return { event, kind, key: keyName(decodeKey(key)), route, reason, isErased };
}

/** A page that is taken down, for a program. */
export function listed(bar: ListedBar): object {
  return { event: "barred", ...bar, since: instant(bar.since) };
}

/** A line a page that is taken down. */
export function listText(bars: readonly ListedBar[]): string {
  if (bars.length === 0) return "Nothing is taken down.\n";
  return bars.map((bar) => `${plain(lineOf(bar))}\n`).join("");
}

function lineOf({ kind, key, route, since, reason, ...bar }: ListedBar): string {
  const why = reason === "" ? "" : `, because of: ${reason}`;
  const erased = bar.isErasing ? ", to be erased" : bar.isErased ? ", erased" : "";
  const left = bar.state === "removed" ? "" : "; its object is not removed for good yet";
  return `${route} (${kind} ${key}) since ${instant(since)}${erased}${why}${left}`;
}
