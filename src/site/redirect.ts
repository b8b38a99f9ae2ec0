import { PipelineError } from "../error.ts";
import { checkRoute, partsFlaw } from "./route.ts";

/** A redirect that somebody declared, e.g. in a line of `content/redirects.txt`. */
export interface DeclaredRedirect {
  readonly from: string;
  /** A route of this site, or an `https:` address elsewhere. */
  readonly to: string;
  /** Where it stands, for errors: `{ file: "redirects.txt", line: "12" }`. */
  readonly at: Readonly<Record<string, string>>;
}

/** True for an address on another site. */
export function isAway(target: string): boolean {
  return target.startsWith("https:");
}

/** What is wrong with a route that a redirect is to stand at; undefined when nothing is. */
export function fromFlaw(route: string): string | undefined {
  const flaw = routeFlaw(route);
  if (flaw !== undefined) return flaw;
  // Others are served as something else than HTML.
  return /(?:\/|\.html)$/.test(route) ? undefined : "does not end with / or .html";
}

/** What is wrong with the target of a redirect; undefined when nothing is. */
export function toFlaw(target: string): string | undefined {
  if (!isAway(target)) return routeFlaw(target);
  const url = URL.parse(target);
  if (url === null) return "is no address";
  return url.href.length > MAX_AWAY ? `is longer than ${MAX_AWAY} bytes` : undefined;
}

/** A ledger in MySQL keeps 1,500 bytes of where a page leads. */
const MAX_AWAY = 1400;

/** What is wrong with a whole route that somebody wrote; undefined when a store can hold it. */
export function routeFlaw(route: string): string | undefined {
  if (!route.startsWith("/")) return "does not begin with /";
  const inner = route.replace(/^\/|\/$/g, "");
  const flaw = inner === "" ? undefined : partsFlaw(inner);
  if (flaw !== undefined) return flaw;
  if (route === "//") return "has an empty part";
  try {
    checkRoute(route);
    return undefined;
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return "is longer than a store allows, or has a name that is taken";
  }
}
