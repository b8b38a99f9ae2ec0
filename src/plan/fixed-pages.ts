import {
  type ContentFile,
  type ContentKind,
  encodeKey,
  encodeRoute,
  type LoadedPage,
  type SingleKind,
} from "../site.ts";
import type { Found, PlanContext } from "./context.ts";
import { type PlannedPage, plannedRoutes } from "./planned.ts";
import { routeName } from "./read-names.ts";
import { loadRead, record } from "./reads.ts";
import { pageTags } from "./tags.ts";

/** The one page of a single kind; its key is empty. */
export async function* findSinglePage({ route }: SingleKind): AsyncGenerator<readonly Found[]> {
  yield [{ key: encodeKey([]), route }];
}

/** Loads a single page with its declared reads. */
export async function loadSinglePage(
  kind: SingleKind,
  context: PlanContext,
  pages: readonly PlannedPage[],
): Promise<readonly LoadedPage[]> {
  const reads = await Promise.all(
    Object.entries(kind.reads).map(async ([name, read]) => {
      const [loaded] = await loadRead(context, read, [{}]);
      return { name, loaded };
    }),
  );
  const routes = Object.values(kind.links);
  const existing = await plannedRoutes(context, routes);
  const hrefs = Object.fromEntries(
    Object.entries(kind.links).flatMap(([name, route]) =>
      existing.has(route) ? [[name, encodeRoute(route)]] : [],
    ),
  );
  const sitemap = context.site.kinds.find((each) => each.is === "sitemap");
  const data = {
    sitemap: sitemap === undefined ? undefined : `${context.site.origin}${sitemap.route}`,
    hrefs,
    ...Object.fromEntries(reads.map(({ name, loaded }) => [name, loaded?.value])),
  };
  return pages.map((page) => ({
    ...fixed(kind, page),
    data,
    uses: [...reads.flatMap(({ loaded }) => loaded?.uses ?? []), ...routes.map(routeName)],
    reads: [
      { key: `template:${kind.name}`, digest: context.fingerprint(kind) },
      ...reads.flatMap(({ loaded }) => loaded?.read ?? []),
      record(`page:${kind.route}#links`, hrefs),
    ],
  }));
}

/** A page for each Markdown file of the kind's folder: `about` → `/about/`. */
export async function* findContentPages(
  kind: ContentKind,
  { content }: PlanContext,
): AsyncGenerator<readonly Found[]> {
  yield files(kind, content).map(({ name }) => ({ key: encodeKey([name]), route: `/${name}/` }));
}

/** Loads content pages; the file is their one read. */
export async function loadContentPages(
  kind: ContentKind,
  context: PlanContext,
  pages: readonly PlannedPage[],
): Promise<readonly LoadedPage[]> {
  const byRoute = new Map(files(kind, context.content).map((file) => [`/${file.name}/`, file]));
  return pages.flatMap((page) => {
    const file = byRoute.get(page.route);
    if (file === undefined) return [];
    const { title, description, body } = file;
    return [
      {
        ...fixed(kind, page),
        data: { title, description },
        markdown: { body },
        reads: [
          { key: `template:${kind.name}`, digest: context.fingerprint(kind) },
          record(`content:${kind.folder}/${file.name}.md`, [title, description, body]),
        ],
      },
    ];
  });
}

function fixed(kind: SingleKind | ContentKind, page: PlannedPage) {
  return {
    kind: page.kind,
    key: page.key,
    route: page.route,
    template: kind.template,
    start: undefined,
    lastmod: undefined,
    markdown: {},
    uses: [],
    tags: pageTags(kind, page.key, {}),
  };
}

function files({ folder }: ContentKind, content: PlanContext["content"]): readonly ContentFile[] {
  return content.get(folder) ?? [];
}
