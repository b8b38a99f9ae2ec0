import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { corpus } from "../corpus.ts";
import type { ArticleRow } from "./articles.ts";

/** A folder that `load` takes. */
export interface CorpusDir extends AsyncDisposable {
  readonly dir: string;
  /** True for the articles that are in it. */
  readonly keeps: (row: ArticleRow) => boolean;
}

/** The corpus as it is. */
export function wholeCorpus(): CorpusDir {
  const dir = fileURLToPath(new URL("../../../shared/corpus/", import.meta.url));
  return { dir, keeps: () => true, [Symbol.asyncDispose]: async () => {} };
}

/** A seventh of the corpus, with every slug, status and time that is out of the ordinary. */
export async function corpusSlice(): Promise<CorpusDir> {
  const keeps = ({ id, slug, status, published_at }: ArticleRow) =>
    id % 12 === 0 || /[^a-z0-9.-]/.test(slug) || status === "draft" || published_at > "2026-05";
  const dir = await mkdtemp(join(tmpdir(), "nightbake-slice-"));
  const articles = (await Array.fromAsync(corpus<ArticleRow>("articles"))).filter(keeps);
  const slugs = new Set(articles.map(({ slug }) => slug));
  const activities = await Array.fromAsync(corpus<{ readonly object_slug: string }>("activities"));
  await write(dir, "articles", articles);
  await write(dir, "users", await Array.fromAsync(corpus("users")));
  await write(
    dir,
    "activities",
    activities.filter(({ object_slug }) => slugs.has(object_slug)),
  );
  return { dir, keeps, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
}

async function write(dir: string, table: string, rows: readonly unknown[]): Promise<void> {
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`);
  await writeFile(join(dir, `${table}.ndjson`), lines.join(""));
}
