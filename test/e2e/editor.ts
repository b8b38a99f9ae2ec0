import type { Article } from "./articles.ts";
import { viewerPath } from "./bucket.ts";
import { NOW, type Published } from "./published.ts";
import type { Stack } from "./stack.ts";
import type { Visit } from "./viewer.ts";

/** What one editor does between two builds; all of them are different articles. */
export interface Edits {
  /** Get a new title and body. */
  readonly edited: readonly Article[];
  /** Become drafts. */
  readonly unpublished: readonly Article[];
  readonly renamed: Article;
  /** Gets a space after its title, which no page shows. */
  readonly touched: Article;
  /** A draft whose time had come. */
  readonly released: Article;
  /** Appears by itself: the next of the articles to come. */
  readonly due: Article;
}

/** Spaces, wildcards and other scripts: what must be encoded in URLs and invalidations. */
const NEW_SLUG = "renamed/a+b *~ café ☕ (ü)";
export const NEW_PATH = viewerPath(`articles/${NEW_SLUG}/index.html`);
export const NEW_WORDS = "These words were not there before";

/** The title that an edited article gets. */
export function newTitle({ title }: Article): string {
  return `${title.trim()} <corrected> & said "so"`;
}

/** Chooses articles whose change reaches many pages, and slugs that are hard to spell. */
export function chooseEdits({ visible, hidden, visits }: Published): Edits {
  const first = (holds: (article: Article) => boolean) => one(visible.find(holds));
  // The corpus is in order of time.
  const newest = one(visible.findLast(({ tags }) => tags.length > 0));
  const longest = one(visible.toSorted((a, b) => b.path.length - a.path.length)[0]);
  const nested = first(({ slug }) => /[^/]\/[^/]/.test(slug));
  const percent = first(({ slug }) => slug.includes("%"));
  const renamed = first(({ slug, tags }) => /\p{Script=Arabic}/u.test(slug) && tags.length > 0);
  const released = one(hidden.find((a) => a.status === "draft" && a.tags.length > 0));
  const due = one(hidden.find((a) => a.status === "published" && a.published_at > NOW));
  const taken = new Set([newest, longest, nested, percent, renamed]);
  const kinds = linkingKinds(visits);
  const most = visible
    .filter((article) => !taken.has(article))
    .toSorted((a, b) => (kinds.get(b.path)?.size ?? 0) - (kinds.get(a.path)?.size ?? 0));
  return {
    edited: [newest, longest, nested],
    unpublished: [one(most[0]), percent],
    touched: one(most[1]),
    renamed,
    released,
    due,
  };
}

/** Writes the edits into the database, as an editor's tool would: each row and its copies in the listing table. */
export async function applyEdits(stack: Stack, edits: Edits): Promise<void> {
  for (const article of edits.edited) {
    await setTitle(stack, article.id, newTitle(article));
    await stack.sql("UPDATE articles SET body_md = ? WHERE id = ?", `${NEW_WORDS}.\n`, article.id);
  }
  await setTitle(stack, edits.touched.id, `${edits.touched.title} `);
  for (const { id } of edits.unpublished) await setStatus(stack, id, "draft");
  await setStatus(stack, edits.released.id, "published");
  await stack.sql("UPDATE articles SET slug = ? WHERE id = ?", NEW_SLUG, edits.renamed.id);
}

async function setTitle(stack: Stack, id: number, title: string): Promise<void> {
  await stack.sql("UPDATE articles SET title = ? WHERE id = ?", title, id);
  await stack.sql("UPDATE article_tags SET title = ? WHERE article_id = ?", title, id);
}

async function setStatus(stack: Stack, id: number, status: Article["status"]): Promise<void> {
  await stack.sql("UPDATE articles SET status = ? WHERE id = ?", status, id);
  await stack.sql("UPDATE article_tags SET status = ? WHERE article_id = ?", status, id);
}

/** The kinds of pages that link to each path, by their folder: `articles`, `tags`, `people`. */
export function linkingKinds(
  visits: ReadonlyMap<string, Visit>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const kinds = new Map<string, Set<string>>();
  for (const { path, links } of visits.values()) {
    for (const link of links) {
      const known = kinds.get(link.path) ?? new Set();
      if (link.path !== path) kinds.set(link.path, known.add(path.split("/")[1] ?? ""));
    }
  }
  return kinds;
}

function one<T>(found: T | undefined): T {
  if (found === undefined) throw new Error("The corpus holds no such article any more.");
  return found;
}
