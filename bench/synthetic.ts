import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const FIRST = Date.UTC(2011, 0, 1);
const LAST = Date.UTC(2025, 0, 1);

/**
 * Writes the rows of a site of so many articles to `dir`, line by line: bodies of a few lines, three
 * tags each. Every tenth carries the tag `everything`, so that one list grows with the site; the
 * other tags and the authors grow in number instead.
 */
export async function writeSynthetic(dir: string, articles: number): Promise<void> {
  mkdirSync(dir, { recursive: true });
  await Promise.all([
    write(dir, "articles", articles, (id) => article(id, articles)),
    write(dir, "users", Math.ceil(articles / 40), user),
    write(dir, "activities", articles * 2, (id) => activity(id, articles)),
  ]);
}

function article(id: number, articles: number): unknown {
  const at = instantOf(id, articles);
  const mine = `topic-${(id * 7919) % Math.ceil(articles / 50)}`;
  const shared = id % 10 === 0 ? ["everything"] : [];
  return {
    id,
    slug: `article-${id}`,
    title: `Article ${id}`,
    summary: `What article ${id} is about.`,
    body_md: `Some words of article ${id}.\n\n* one\n* two\n\nSee [another](/articles/article-${1 + (id % articles)}/).`,
    author_handle: `person-${id % Math.ceil(articles / 40)}`,
    author_name: `Person ${id % Math.ceil(articles / 40)}`,
    tags: [
      ...shared,
      mine,
      `year-${new Date(at).getUTCFullYear()}-${id % Math.ceil(articles / 500)}`,
    ],
    published_at: at,
    expires_at: null,
    updated_at: at,
    status: "published",
    source_repo: null,
    licence: null,
  };
}

function user(id: number): unknown {
  return { handle: `person-${id - 1}`, name: `Person ${id - 1}`, joined_at: iso(FIRST) };
}

function activity(id: number, articles: number): unknown {
  const of = 1 + (id % articles);
  return {
    id,
    actor_handle: `person-${of % Math.ceil(articles / 40)}`,
    verb: id > articles ? "edited" : "published",
    object_type: "article",
    object_slug: `article-${of}`,
    object_title: `Article ${of}`,
    occurred_at: instantOf(id / 2, articles),
    message: "",
  };
}

/** Spread evenly over the years. */
function instantOf(id: number, articles: number): string {
  return iso(FIRST + Math.floor(((LAST - FIRST) * id) / (articles + 1) / 1000) * 1000);
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}

async function write(
  dir: string,
  table: string,
  count: number,
  row: (id: number) => unknown,
): Promise<void> {
  function* lines(): Generator<string> {
    for (let id = 1; id <= count; id += 1) yield `${JSON.stringify(row(id))}\n`;
  }
  await pipeline(Readable.from(lines()), createWriteStream(join(dir, `${table}.ndjson`)));
}
