import { encodeKey, type Kind, type LoadedPage, type Phase } from "../site.ts";
import type { Failure, Found, PlanContext } from "./context.ts";
import {
  findContentPages,
  findSinglePage,
  loadContentPages,
  loadSinglePage,
} from "./fixed-pages.ts";
import { findListPages, loadListPages } from "./list-pages.ts";
import type { PlannedPage } from "./planned.ts";
import { findRedirectPages, loadRedirectPages } from "./redirect-pages.ts";
import { findRowPages, loadRowPages } from "./row-pages.ts";
import { findSitemaps, loadSitemaps } from "./sitemap-pages.ts";

/** The kind of assets in the ledger; no site may use the name. */
export const ASSET_KIND = "asset";

/** The pages a kind should have now, in key order. */
export function findPages(kind: Kind, context: PlanContext): AsyncGenerator<readonly Found[]> {
  switch (kind.is) {
    case "row":
      return findRowPages(kind, context);
    case "list":
      return findListPages(kind, context);
    case "single":
      return findSinglePage(kind);
    case "content":
      return findContentPages(kind, context);
    case "sitemap":
      return findSitemaps(kind, context);
    case "redirect":
      return findRedirectPages(kind, context);
  }
}

/** The assets that should exist, in key order; their names change with their content. */
export async function* findAssets({ assets }: PlanContext): AsyncGenerator<readonly Found[]> {
  const found = assets.map(({ name, key }) => ({ key: encodeKey([name]), route: `/${key}` }));
  yield found.sort((a, b) => Buffer.compare(a.key, b.key));
}

/** Loads pages of one kind with everything their templates get; result n may be a failure. */
export async function loadPages(
  kind: Kind,
  context: PlanContext,
  pages: readonly PlannedPage[],
): Promise<readonly (LoadedPage | Failure)[]> {
  switch (kind.is) {
    case "row":
      return await loadRowPages(kind, context, pages);
    case "list":
      return await loadListPages(kind, context, pages);
    case "single":
      return await loadSinglePage(kind, context, pages);
    case "content":
      return await loadContentPages(kind, context, pages);
    case "sitemap":
      return await loadSitemaps(kind, context, pages);
    case "redirect":
      return loadRedirectPages(kind, context, pages);
  }
}

/** The phase in which a page is put: new ones first, since nothing live links to them yet. */
export function putPhase(kind: Kind | undefined, isNewRoute: boolean): Phase {
  if (kind === undefined) return "assets";
  if (kind.is === "sitemap") return "feeds";
  // A page that moves leaves its old object there for readers until it is live at its new route.
  if (kind.is === "redirect") return "changed";
  if (isNewRoute) return "new";
  return readsLists(kind) ? "lists" : "changed";
}

/** True when a kind's pages show what other pages there are. */
export function readsLists(kind: Kind): boolean {
  if (kind.is === "list") return true;
  return kind.is === "single" && Object.values(kind.reads).some(({ read }) => read !== "one");
}
