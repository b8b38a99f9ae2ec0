import {
  appendOnly,
  around,
  byYear,
  contentPages,
  defineSite,
  instant,
  int,
  link,
  list,
  listPage,
  markdown,
  newest,
  one,
  oneOf,
  page,
  path,
  rowPage,
  sitemap,
  table,
  tag,
  text,
} from "nightbake";

const loaves = table("loaves", {
  key: "id",
  columns: {
    id: int(),
    slug: text({ max: 100 }),
    name: text(),
    body: text(),
    baker: text({ max: 100 }),
    status: oneOf("draft", "published"),
    published_at: instant(),
    expires_at: instant().nullable(),
  },
});

const bakers = table("bakers", {
  key: "handle",
  columns: { handle: text({ max: 100 }), name: text() },
});

const visible = {
  show: { status: "published" },
  from: "published_at",
  until: "expires_at",
} as const;

const byBaker = list(loaves, {
  ...visible,
  by: "baker",
  order: ["published_at", "id"],
  see: ["name"],
  item: link("loaf", "id"),
  head: 2,
  cut: byYear("published_at", { max: 2 }),
});

const recent = list(loaves, {
  ...visible,
  order: ["published_at", "id"],
  see: ["name", "published_at"],
  item: link("loaf", "id"),
  cut: appendOnly({ max: 10 }),
});

export default defineSite({
  origin: "https://loaves.example",
  title: "Loaves & more",
  pages: {
    loaf: rowPage(loaves, {
      ...visible,
      see: ["name", "body", "published_at"],
      route: (l) => path`/loaves/${l.slug}/`,
      reads: {
        baker: one(bakers, { key: "baker", see: ["name"] }),
        near: around(byBaker, { part: "baker", at: ["published_at", "id"], before: 1, after: 1 }),
      },
      html: { body: markdown("body") },
      links: (l) => ({ baker: path`/bakers/${l.baker}/` }),
      tags: (l) => [tag("baker", l.baker)],
      lastmod: "published_at",
      template: "loaf",
    }),
    baker: listPage(byBaker, { route: (handle) => path`/bakers/${handle}/`, template: "list" }),
    home: page({ route: "/", reads: { latest: newest(recent, 3) }, template: "home" }),
    content: contentPages({ folder: "pages", template: "content" }),
    "not-found": page({ route: "/404.html", template: "lost", inSitemap: false }),
    sitemap: sitemap({ route: "/sitemap.xml", template: "sitemap-index", part: "sitemap" }),
  },
});
