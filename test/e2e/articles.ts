import { corpus } from "../corpus.ts";
import { viewerPath } from "./bucket.ts";
import { collapsed } from "./page.ts";

/** The columns of the corpus that these tests look at. */
export interface ArticleRow {
  readonly id: number;
  readonly slug: string;
  readonly title: string;
  readonly body_md: string;
  readonly tags: readonly string[];
  readonly published_at: string;
  readonly status: "draft" | "published";
}

/** An article of the corpus, and what its page must show. */
export interface Article extends Omit<ArticleRow, "body_md"> {
  /** Where viewers find it: `/articles/caf%C3%A9/`. */
  readonly path: string;
  /** The longest line of the body that is plain words, if there is one. */
  readonly words: string | undefined;
}

/** Reads the articles that `keeps` wants, in the corpus' order. */
export async function readArticles(
  keeps: (row: ArticleRow) => boolean,
): Promise<readonly Article[]> {
  const articles: Article[] = [];
  for await (const row of corpus<ArticleRow>("articles")) {
    if (!keeps(row)) continue;
    const { body_md, ...rest } = row;
    // One slug ends in "/", which is the same address as without.
    const path = viewerPath(`articles/${row.slug.replace(/\/$/, "")}/index.html`);
    articles.push({ ...rest, path, words: plainWords(body_md) });
  }
  return articles;
}

/** Drafts, and what is to appear later, are invisible; so are the slugs that no page can have. */
export function isVisible({ status, published_at, slug }: Article, now: string): boolean {
  return status === "published" && published_at <= now && !slug.startsWith("/");
}

/**
 * A paragraph's line that Markdown leaves as it is, so that a test needs no Markdown of its own:
 * letters, marks and single spaces only, beginning after a blank line outside code and HTML.
 */
function plainWords(markdown: string): string | undefined {
  const prose = markdown
    .replace(/^(```|~~~).*?^\1/gms, "")
    .replace(/<!--.*?-->/gs, "")
    .replace(/<(script|style|pre|svg|iframe)\b.*?<\/\1>/gis, "");
  const lines = prose.match(/(?<=\n(?:\r?\n|[-*] |#+ ))[\p{L}\p{M}][\p{L}\p{M} ]{11,}/gu) ?? [];
  return lines.reduce<string | undefined>(
    (best, line) => (line.length > (best?.length ?? 0) ? collapsed(line) : best),
    undefined,
  );
}
