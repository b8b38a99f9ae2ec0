import { PipelineError, type Problem } from "../error.ts";
import { nearest } from "../nearest.ts";
import { ASSET_KIND } from "../plan/kinds.ts";
import { redirectTarget } from "../plan/redirect-pages.ts";
import { windowOf } from "../plan/windows.ts";
import { address, decodeKey, type Kind, type PageId, pageName, type Site } from "../site.ts";
import { routesLike } from "./routes-like.ts";
import type { Wired } from "./run.ts";

/** A page that can be taken down. */
export interface Removable extends PageId {
  readonly route: string;
  /** A list goes with its archive. */
  readonly isBelow: boolean;
}

/** A page at a route: live, about to be, or taken down. */
interface There extends PageId {
  readonly route: string;
  readonly start?: Uint8Array | undefined;
}

/**
 * The pages at these routes, each once: what is live there, else what is about to be, what was taken
 * down, what is gone but for its object.
 * @throws PipelineError `input_invalid` with every route that has none, or one that cannot be taken down
 */
export async function pagesAt(
  { site, ledger }: Pick<Wired, "site" | "ledger">,
  routes: readonly string[],
): Promise<readonly Removable[]> {
  const there = await pagesThere(ledger, routes);
  const problems: Problem[] = [];
  const found = new Map<string, Removable>();
  for (const route of new Set(routes)) {
    const page = there.get(route);
    const flaw =
      page === undefined
        ? unknown(route, "No page is live there.", await routesLike(route, { site, ledger }))
        : flawOf(page, site);
    if (flaw !== undefined) problems.push(flaw);
    else if (page !== undefined) found.set(pageName(page), removable(page, site));
  }
  if (problems.length === 0) return [...found.values()];
  throw new PipelineError("input_invalid", "Some of this cannot be taken down; nothing was.", {
    hint: "Name routes of live pages as readers see them, e.g. /articles/x/.",
    problems,
  });
}

/** Of each of these routes the page that readers most probably see there. */
async function pagesThere(
  ledger: Wired["ledger"],
  routes: readonly string[],
): Promise<ReadonlyMap<string, There>> {
  const [live, intents, bars] = await Promise.all([
    ledger.liveFolded(routes),
    ledger.intents(),
    ledger.bars(),
  ]);
  // While pages exchange their routes, two are live at one: the last release's is there.
  const newest = live.toSorted((a, b) => b.release - a.release);
  const barred = bars.filter(({ state }) => state !== "lifted");
  const wanted = new Set(routes);
  const there = new Map<string, There>();
  for (const page of [...newest, ...intents, ...barred]) {
    if (wanted.has(page.route) && !there.has(page.route)) there.set(page.route, page);
  }
  const rest = routes.filter((route) => !there.has(route));
  if (rest.length === 0) return there;
  const waiting = await ledger.retiredAmong(rest.map((route) => address(route).key));
  for (const page of await ledger.goneFrom(rest)) {
    if (waiting.has(address(page.route).key)) there.set(page.route, page);
  }
  return there;
}

/** A route that names nothing, and the one that was probably meant. */
export function unknown(route: string, what: string, known: Iterable<string>): Problem {
  const meant = nearest(route, known);
  return { place: route, message: meant === undefined ? what : `${what} Did you mean ${meant}?` };
}

function removable({ kind, key, route }: There, site: Site): Removable {
  return { kind, key, route, isBelow: kindOf(kind, site)?.is === "list" };
}

/** Why a page cannot be taken down by itself. */
function flawOf(page: There, site: Site): Problem | undefined {
  const message = whyNot(page, site);
  return message === undefined ? undefined : { place: page.route, message };
}

function whyNot(page: There, site: Site): string | undefined {
  if (page.kind === ASSET_KIND) return "It is an asset: take its file out of content/assets.";
  const kind = kindOf(page.kind, site);
  if (kind?.is === "sitemap") return "It lists pages: take those down.";
  if (kind?.is === "redirect") {
    return `It leads to ${redirectTarget({ start: page.start })}: take that page down, and it goes, too.`;
  }
  const isArchive =
    kind?.is === "list" && windowOf(kind.list, decodeKey(page.key)).archive !== undefined;
  return isArchive ? "It is part of a list's archive: take the list down, or entries." : undefined;
}

function kindOf(name: string, { kinds }: Site): Kind | undefined {
  return kinds.find((kind) => kind.name === name);
}
