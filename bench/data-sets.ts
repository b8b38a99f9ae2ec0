import type { Row } from "../src/site.ts";
import { corpus } from "../test/corpus.ts";

/** Rows of the demo site's tables, made while they are read; each call begins anew. */
export interface DataSet {
  articles(): AsyncGenerator<Row>;
  users(): AsyncGenerator<Row>;
  activities(): AsyncGenerator<Row>;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * The corpus so many times. Each copy has ids, slugs, handles and tags of its own, so that lists
 * are as long as in the corpus, and its bodies end in a line of their own, so that none is kept
 * from another copy. Links in bodies lead to the first copy, which is the corpus itself.
 */
export function corpusTimes(copies: number): DataSet {
  async function* copied(
    name: "articles" | "users" | "activities",
    row: (from: Json, own: (text: unknown) => string, copy: number) => Row,
  ): AsyncGenerator<Row> {
    for (let copy = 0; copy < copies; copy += 1) {
      const own = (text: unknown) => (copy === 0 ? String(text) : `${text}-${copy}`);
      for await (const from of corpus<Json>(name)) yield row(from, own, copy);
    }
  }
  return {
    articles: () =>
      copied("articles", (from, own, copy) => {
        const tags = (from["tags"] as readonly string[]).map(own);
        return {
          ...from,
          id: Number(from["id"]) + copy * 10_000,
          slug: own(from["slug"]),
          body_md: copy === 0 ? from["body_md"] : `${from["body_md"]}\n\nCopy ${copy}.\n`,
          author_handle: own(from["author_handle"]),
          tags,
          main_tag: tags[0] ?? null,
          published_at: instant(from["published_at"]),
          updated_at: instant(from["updated_at"]),
          expires_at: null,
        };
      }),
    users: () =>
      copied("users", (from, own) => ({
        ...from,
        handle: own(from["handle"]),
        joined_at: instant(from["joined_at"]),
      })),
    activities: () =>
      copied("activities", (from, own, copy) => ({
        ...from,
        id: Number(from["id"]) + copy * 100_000,
        actor_handle: own(from["actor_handle"]),
        object_slug: own(from["object_slug"]),
        occurred_at: instant(from["occurred_at"]),
      })),
  };
}

const FIRST = Date.UTC(2011, 0, 1);
const LAST = Date.UTC(2026, 0, 1);
const VERBS = ["published", "edited", "edited", "commented"];
const WORDS =
  "bread oven night flour water salt rye crust crumb starter dough fold rest shape score bake cool slice morning reader".split(
    " ",
  );

/** How a synthetic site differs from the usual one. */
export interface SyntheticOptions {
  /** Words of each paragraph; default 40, for bodies of 1 to 2 KB. */
  readonly paragraphWords?: number;
  /** Every article has a third tag, one of 500 articles, unless it carries `everything`. */
  readonly hasThreeTags?: boolean;
}

/** Articles of some 4 KB with three tags each. */
export const LARGE_ROWS: SyntheticOptions = { paragraphWords: 100, hasThreeTags: true };

/**
 * So many articles, four times as many activities, one user for twenty. Bodies are Markdown with a
 * link to another article. Tags: one of 200 articles, one of 2,000, and every twentieth article
 * carries `everything`, the largest list.
 */
export function synthetic(count: number, options: SyntheticOptions = {}): DataSet {
  const { paragraphWords = 40, hasThreeTags = false } = options;
  const people = Math.ceil(count / 20);
  const at = (id: number, of: number) =>
    (FIRST + Math.floor(((LAST - FIRST) * id) / (of + 1) / 1000) * 1000) * 1000;
  return {
    async *articles() {
      for (let id = 1; id <= count; id += 1) {
        const tags = [
          `topic-${(id * 7919) % Math.ceil(count / 200)}`,
          `field-${(id * 104_729) % Math.ceil(count / 2000)}`,
          ...(id % 20 === 0 ? ["everything"] : []),
          ...(hasThreeTags && id % 20 !== 0 ? [`place-${(id * 31) % Math.ceil(count / 500)}`] : []),
        ];
        const person = (id * 31) % people;
        yield {
          id,
          slug: `article-${id}`,
          title: `${words(id, 4)} ${id}`,
          summary: words(id + 1, 18),
          body_md: body(id, count, paragraphWords),
          author_handle: `person-${person}`,
          author_name: `Person ${person}`,
          tags,
          main_tag: tags[0],
          published_at: at(id, count),
          expires_at: null,
          updated_at: at(id, count),
          status: "published",
          source_repo: null,
          licence: null,
        };
      }
    },
    async *users() {
      for (let n = 0; n < people; n += 1) {
        yield { handle: `person-${n}`, name: `Person ${n}`, joined_at: FIRST * 1000 };
      }
    },
    async *activities() {
      for (let id = 1; id <= count * 4; id += 1) {
        const of = 1 + ((id * 13) % count);
        yield {
          id,
          actor_handle: `person-${(of * 31 + (id % 3)) % people}`,
          verb: VERBS[id % VERBS.length],
          object_type: "article",
          object_slug: `article-${of}`,
          object_title: `${words(of, 4)} ${of}`,
          occurred_at: at(id, count * 4),
          message: id % 4 === 3 ? words(id, 12) : "",
        };
      }
    },
  };
}

/** The listing table's rows of articles: one for each tag. */
export async function* listed(articles: AsyncGenerator<Row>): AsyncGenerator<Row> {
  for await (const row of articles) {
    const { id, title, summary, status, published_at, expires_at } = row;
    const copied = { article_id: id, title, summary, status, published_at, expires_at };
    for (const tag of new Set(row["tags"] as readonly string[])) yield { tag, ...copied };
  }
}

function body(id: number, count: number, paragraphWords: number): string {
  const paragraphs = Array.from({ length: 4 + (id % 4) }, (_, n) =>
    words(id * 8 + n, paragraphWords),
  );
  const list = [1, 2, 3].map((n) => `* **${words(id + n, 2)}**: ${words(id * n, 8)}`);
  const link = `See [${words(id, 3)}](/articles/article-${1 + ((id * 17) % count)}/).`;
  const [first = "", ...rest] = paragraphs;
  return [first, `## ${words(id, 3)}`, list.join("\n"), link, ...rest].join("\n\n");
}

/** So many words; the same for the same seed. */
function words(seed: number, count: number): string {
  let state = (seed * 2_654_435_761) >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return WORDS[(state >>> 16) % WORDS.length] ?? "";
  };
  return Array.from({ length: count }, next).join(" ");
}

function instant(iso: unknown): number {
  return Date.parse(String(iso)) * 1000;
}
