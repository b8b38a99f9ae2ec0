import { readFileSync, writeFileSync } from "node:fs";
import type { Mode } from "./modes.ts";

/** A database that steps ask and edit, as an application would. */
export interface Editor extends Pick<Mode, "write"> {
  /** The first row, as values by column. */
  one(
    sql: string,
    values?: readonly (string | number)[],
  ): Promise<Readonly<Record<string, unknown>>>;
}

/** What is done between two builds, by the name of the step. */
export const EDITS: Readonly<Record<string, (site: ScaleSite) => Promise<void>>> = {
  "no-op": async () => {},
  "one title": async ({ editor, article }) => editTitle(editor, article, "A title of its own"),
  "author rename": renameAuthor,
  "new article": addArticle,
  "delete in the largest list": deleteMiddle,
  "base template": async ({ layout }) => {
    const text = readFileSync(layout, "utf8");
    writeFileSync(layout, text.replace(/<body[^>]*>/, '<body class="another">'));
  },
};

/** Where a site of a run stands. */
export interface ScaleSite {
  readonly editor: Editor;
  /** A published article of the middle of the data. */
  readonly article: number;
  /** File of the base template. */
  readonly layout: string;
}

/** As an application with a listing table does: in both tables. */
export async function editTitle(editor: Editor, id: number, title: string): Promise<void> {
  await editor.write("UPDATE articles SET title = ? WHERE id = ?", [title, id]);
  await editor.write("UPDATE article_tags SET title = ? WHERE article_id = ?", [title, id]);
}

/** The author of the article, in every row that holds the name. */
async function renameAuthor({ editor, article }: ScaleSite): Promise<void> {
  const { author_handle } = await editor.one("SELECT author_handle FROM articles WHERE id = ?", [
    article,
  ]);
  const values = ["Another Name", String(author_handle)];
  await editor.write("UPDATE users SET name = ? WHERE handle = ?", values);
  await editor.write("UPDATE articles SET author_name = ? WHERE author_handle = ?", values);
}

/** A copy of the article, newer than all others. */
async function addArticle({ editor, article }: ScaleSite): Promise<void> {
  const { last } = await editor.one("SELECT MAX(id) AS last FROM articles");
  const { newest } = await editor.one("SELECT MAX(published_at) AS newest FROM articles");
  const id = Number(last) + 1;
  await editor.write(
    `INSERT INTO articles (id, slug, title, summary, body_md, author_handle, author_name, tags,
       main_tag, published_at, expires_at, updated_at, status, source_repo, licence)
     SELECT ${id}, 'a-new-article', 'A new article', summary, body_md, author_handle, author_name,
       tags, main_tag, ?, expires_at, updated_at, status, source_repo, licence
     FROM articles WHERE id = ?`,
    [newest as string, article],
  );
  await editor.write(
    `INSERT INTO article_tags (tag, article_id, title, summary, status, published_at, expires_at)
     SELECT tag, ${id}, 'A new article', summary, status, ?, expires_at
     FROM article_tags WHERE article_id = ?`,
    [newest as string, article],
  );
}

/** The article in the middle of the list that holds the most. */
async function deleteMiddle({ editor }: ScaleSite): Promise<void> {
  const { tag, entries } = await editor.one(
    "SELECT tag, COUNT(*) AS entries FROM article_tags WHERE status = 'published' GROUP BY tag ORDER BY entries DESC LIMIT 1",
  );
  const { article_id } = await editor.one(
    `SELECT article_id FROM article_tags WHERE tag = ? AND status = 'published'
     ORDER BY published_at, article_id LIMIT 1 OFFSET ${Math.floor(Number(entries) / 2)}`,
    [String(tag)],
  );
  await editor.write("DELETE FROM article_tags WHERE article_id = ?", [Number(article_id)]);
  await editor.write("DELETE FROM articles WHERE id = ?", [Number(article_id)]);
}
