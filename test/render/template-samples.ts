import { SafeHtml } from "../../src/render/safe-html.ts";

const MARCH = Date.UTC(2024, 2, 12, 9, 30, 5) * 1000;
const DAY = 86_400_000_000;

/** Titles that break pages which do not escape, measure or isolate text. */
const NASTY = [
  `<script>alert("1")</script> & 'quotes' &amp; </title>`,
  "مرحبا (world) 123 — שלום",
  "রুটি বেকিং সম্পর্কে সবকিছু 👩‍🍳🏽",
  "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(2),
  "\u202Eoverride \u2066isolate",
  " ",
];

const site = {
  origin: "https://example.com",
  title: "Nightbake",
  description: "Bread, written down at night.",
  lang: "en",
};

const body = SafeHtml.vouch(
  '<p>Flour &amp; water.</p><h2>Method</h2><pre><code class="language-ts">1 &lt; 2</code></pre>',
);

function entry(at: number, title: string, href: string | undefined = `/articles/${at}/`) {
  return { id: at, slug: `${at}`, title, summary: title, published_at: MARCH - at * DAY, href };
}

const entries = NASTY.map((title, at) => entry(at, title));

function event(at: number, verb: string, href: string | undefined) {
  const object_title = NASTY[at % NASTY.length];
  const said = { object_title, message: at % 2 === 0 ? "" : `About ${object_title}` };
  const occurred_at = MARCH - at * (DAY / 3);
  const object = { object_type: "article", object_slug: "a-b", hrefs: { object: href } };
  return { id: at, actor_handle: "ann", verb, ...object, ...said, occurred_at };
}

function article(title: string, parts: object = {}) {
  const row = {
    id: 1,
    slug: "a",
    title,
    summary: title,
    author_handle: "ann",
    author_name: title,
    main_tag: title,
    tags: ["bread", title],
    published_at: MARCH,
    updated_at: MARCH + 40 * DAY,
  };
  const hrefs = { author_activity: "/people/ann/activity/", main_tag: "/tags/bread/" };
  const near = { before: entries.slice(0, 3), after: entries.slice(3) };
  return {
    site,
    route: "/articles/a/",
    row,
    html: { body },
    author: { name: "Ann" },
    near,
    hrefs,
    ...parts,
  };
}

const bare = {
  author: undefined,
  near: { before: [], after: [] },
  hrefs: { author_activity: undefined, main_tag: undefined },
};
const bareRow = {
  ...article("Bare").row,
  summary: "",
  author_name: null,
  main_tag: null,
  tags: [],
};
const archive = [
  { name: "2024", href: "/tags/bread/2024/" },
  { name: "2024/2", href: "/tags/bread/2024/2/" },
];
const archived = { window: { name: "2024/2", bucket: "2024", n: 2 }, head: "/tags/bread/" };
const stream = ["published", "edited", "commented", "renamed", "deleted", "baked"].map((verb, at) =>
  event(at, verb, at % 2 === 0 ? "/articles/a/" : undefined),
);

/** Data for every template of the site, by a sentence; full, empty and nasty. */
export const SAMPLES: Readonly<
  Record<string, readonly [template: string, data: Record<string, unknown>]>
> = {
  ...Object.fromEntries(
    NASTY.map((title, at) => [
      `an article titled in nasty way ${at}`,
      ["article", article(title)] as const,
    ]),
  ),
  "an article with nothing optional": ["article", article("Bare", { ...bare, row: bareRow })],
  "an article whose neighbours have no page": [
    "article",
    article("Alone", { near: { before: [{ ...entries[0], href: undefined }], after: [] } }),
  ],
  "a list's head": [
    "listing",
    { site, route: "/tags/bread/", part: "bread", window: undefined, entries, archive },
  ],
  "a list's head that has no archive": [
    "listing",
    {
      site,
      route: "/tags/x/",
      part: NASTY[0],
      window: undefined,
      entries: [{ ...entries[0], href: undefined }],
      archive: [],
    },
  ],
  "a list's archive page": [
    "listing",
    { site, route: "/tags/bread/2024/2/", part: NASTY[1], entries, ...archived },
  ],
  "an empty list": [
    "listing",
    { site, route: "/tags/x/", part: "x", window: undefined, entries: [], archive: [] },
  ],
  "a person's activity": [
    "activity",
    {
      site,
      route: "/people/ann/activity/",
      part: "ann",
      person: { name: NASTY[0] },
      window: undefined,
      entries: stream,
      archive,
    },
  ],
  "an unknown person's older activity": [
    "activity",
    {
      site,
      route: "/people/ann/activity/1/",
      part: "ann",
      person: undefined,
      window: { name: "1", bucket: "1", n: 1 },
      entries: stream,
      head: "/people/ann/activity/",
    },
  ],
  "a person without activity": [
    "activity",
    {
      site,
      route: "/people/x/activity/",
      part: "x",
      person: { name: "" },
      window: undefined,
      entries: [],
      archive: [],
    },
  ],
  home: [
    "home",
    { site, route: "/", latest: entries, hrefs: { about: "/about/", made: "/made/" } },
  ],
  "an empty home": [
    "home",
    { site: { ...site, description: "" }, route: "/", latest: [], hrefs: {} },
  ],
  "a content page": [
    "content",
    { site, route: "/about/", title: NASTY[0], description: "Us & them", html: { body } },
  ],
  "a content page without description": [
    "content",
    { site, route: "/x/", title: "X", description: undefined, html: { body } },
  ],
  "the page for what is missing": ["404", { site, route: "/404.html" }],
};

/** Data for the templates that make no HTML. */
export const FILES = {
  robots: { site, route: "/robots.txt", sitemap: "https://example.com/sitemap.xml" },
  "sitemap-index": { site, route: "/sitemap.xml", sitemaps: [{ route: "/sitemaps/0.xml" }] },
  sitemap: {
    site,
    route: "/sitemaps/0.xml",
    urls: [
      { route: "/articles/café & co/", lastmod: MARCH },
      { route: "/", lastmod: undefined },
    ],
  },
} as const;
