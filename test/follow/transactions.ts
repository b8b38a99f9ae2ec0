import type { Dice } from "../race/dice.ts";

/** One open transaction of an editor. */
export interface Session {
  run(sql: string, ...values: (string | number)[]): Promise<void>;
  /** The first value of the first row. */
  ask(sql: string, ...values: (string | number)[]): Promise<unknown>;
}

/** What is drawn for a transaction. */
export interface Draw extends Dice {
  /** The articles that may be written to. */
  readonly ids: readonly number[];
}

type Work = (session: Session, draw: Draw) => Promise<void>;

/**
 * Articles that are written to: some are published, the others kept in `articles_gone`. Their titles
 * say `Version 7 of 12`, and nothing ever gives an article an earlier version.
 */
export const IDS: readonly number[] = Array.from({ length: 30 }, (_, at) => at + 1);
/** It comes back, wherever it is. */
const LASTING_ID = 1;
/** Of those, articles that the site begins without. */
const SPARE_IDS: readonly number[] = IDS.filter((id) => id > 26);

const VERSION = "SUBSTRING_INDEX(SUBSTRING_INDEX(title, ' ', 2), ' ', -1)";
const COPIED = ["title", "summary", "status", "published_at", "expires_at"];
const COPY = `UPDATE article_tags t JOIN articles a ON a.id = t.article_id
  SET ${COPIED.map((each) => `t.${each} = a.${each}`).join(", ")} WHERE t.article_id = ?`;

/** Changes one article as an application does, in the listing table, too; it gets its next version. */
async function edit(session: Session, id: number, set = ""): Promise<void> {
  const title = `title = CONCAT('Version ', 1 + ${VERSION}, ' of ', id)`;
  await session.run(`UPDATE articles SET ${title}${set} WHERE id = ?`, id);
  await session.run(COPY, id);
}

/** What editors do in one transaction, each as often as its number says. */
const WORKS: readonly (readonly [times: number, work: Work])[] = [
  [6, (session, draw) => edit(session, draw.pick(draw.ids))],
  [2, editSeveral],
  [
    3,
    (session, draw) =>
      edit(session, draw.pick(draw.ids), ", status = IF(status = 'draft', 'published', 'draft')"),
  ],
  [2, (session, draw) => edit(session, draw.pick(draw.ids), ", expires_at = NULL")],
  [2, editWithDate],
  [2, moveSlug],
  [1, swapSlugs],
  [1, moveThereAndBack],
  [2, retire],
  [3, bringBack],
  [
    1,
    (session, draw) =>
      session.run("UPDATE users SET name = ? ORDER BY handle LIMIT 1", draw.pick(["Ann", "Bea"])),
  ],
  // Some stay for ever: a table without rows is a source that nobody trusts.
  [1, (session) => session.run("DELETE FROM activities WHERE id > 9 ORDER BY id LIMIT 1")],
  [
    1,
    (session, draw) =>
      session.run(
        "UPDATE activities SET message = ? WHERE id = ?",
        `Note ${draw.between(1, 9)}`,
        draw.between(1, 139),
      ),
  ],
];
const ALL = WORKS.flatMap(([times, work]) => Array.from({ length: times }, () => work));

/** One of them. */
export function pickWork(dice: Dice): Work {
  return dice.pick(ALL);
}

const REVERSED = "UPDATE users SET name = REVERSE(name) ORDER BY handle DESC LIMIT 3";
const THERE_AND_BACK = [REVERSED, REVERSED];

/** Statements that are transactions of their own: logged as text, without rows, of tables that change their names. */
export const STATEMENTS: readonly (readonly string[])[] = [
  [
    "SET STATEMENT binlog_format = STATEMENT FOR UPDATE users SET name = CONCAT(LEFT(name, 8), '*')",
  ],
  THERE_AND_BACK,
  THERE_AND_BACK,
  ["TRUNCATE users", "INSERT IGNORE INTO users SELECT * FROM users_saved"],
  [
    "DROP TABLE IF EXISTS users_next, users_old",
    "CREATE TABLE users_next LIKE users",
    "INSERT INTO users_next SELECT * FROM users",
    "RENAME TABLE users TO users_old, users_next TO users",
    "DROP TABLE users_old",
  ],
];

/** Puts back what was under way when a server died, and edits one article, so that the position is told. */
export async function leaveInOrder(session: Session): Promise<void> {
  await session.run("INSERT IGNORE INTO users SELECT * FROM users_saved");
  await moveRows(session, LASTING_ID, { from: "_gone", to: "" });
  await edit(session, LASTING_ID);
}

/** Makes the demo site's tables ready for the works. */
export const READY: readonly string[] = [
  "UPDATE articles SET title = CONCAT('Version 1 of ', id)",
  "UPDATE article_tags SET title = CONCAT('Version 1 of ', article_id)",
  "CREATE TABLE users_saved AS SELECT * FROM users",
  "CREATE TABLE articles_gone LIKE articles",
  "CREATE TABLE article_tags_gone LIKE article_tags",
  ...SPARE_IDS.flatMap((id) => [
    "CREATE TEMPORARY TABLE one AS SELECT * FROM articles WHERE id = 1",
    `UPDATE one SET id = ${id}, slug = 'spare-${id}', title = 'Version 1 of ${id}'`,
    "INSERT INTO articles_gone SELECT * FROM one",
    "CREATE TEMPORARY TABLE its AS SELECT * FROM article_tags WHERE article_id = 1",
    `UPDATE its SET article_id = ${id}`,
    "INSERT INTO article_tags_gone SELECT * FROM its",
    "DROP TEMPORARY TABLE one, its",
  ]),
];

async function editSeveral(session: Session, draw: Draw): Promise<void> {
  for (const id of draw.ids.filter(() => draw.chance(0.2))) await edit(session, id);
}

/** The clock shows or hides the article before long. */
async function editWithDate(session: Session, draw: Draw): Promise<void> {
  const column = draw.pick(["published_at", "expires_at"]);
  const at = `UTC_TIMESTAMP(6) + INTERVAL ${draw.between(1, 900_000)} MICROSECOND`;
  await edit(session, draw.pick(draw.ids), `, ${column} = ${at}`);
}

/** To one of few routes, so that it comes back to those it had. */
async function moveSlug(session: Session, draw: Draw): Promise<void> {
  const id = draw.pick(draw.ids);
  const slug = `own-${id}-${draw.between(1, 3)}`;
  // All of them are locked until the end: no two articles may have one slug.
  const taken = ["articles", "articles_gone"].map((table) =>
    session.ask(`SELECT COUNT(*) FROM ${table} WHERE slug = ? FOR UPDATE`, slug),
  );
  if ((await Promise.all(taken)).some((count) => Number(count) > 0)) return;
  await session.run("UPDATE articles SET slug = ? WHERE id = ?", slug, id);
}

async function swapSlugs(session: Session, draw: Draw): Promise<void> {
  const [a, b] = [draw.pick(draw.ids), draw.pick(draw.ids)];
  const slug = (id: number) => session.ask("SELECT slug FROM articles WHERE id = ? FOR UPDATE", id);
  const [ofA, ofB] = [await slug(a), await slug(b)];
  if (ofA === undefined || ofB === undefined) return;
  await session.run("UPDATE articles SET slug = ? WHERE id = ?", String(ofB), a);
  await session.run("UPDATE articles SET slug = ? WHERE id = ?", String(ofA), b);
}

async function moveThereAndBack(session: Session, draw: Draw): Promise<void> {
  const id = draw.pick(draw.ids);
  await session.run("UPDATE articles SET slug = CONCAT('away-', slug) WHERE id = ?", id);
  await session.run("UPDATE articles SET slug = SUBSTRING(slug, 6) WHERE id = ?", id);
}

async function retire(session: Session, draw: Draw): Promise<void> {
  await moveRows(session, draw.pick(draw.ids), { from: "", to: "_gone" });
}

async function bringBack(session: Session, draw: Draw): Promise<void> {
  const id = draw.pick(draw.ids);
  await moveRows(session, id, { from: "_gone", to: "" });
  await edit(session, id);
}

async function moveRows(
  session: Session,
  id: number,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  for (const [table, key] of [
    ["articles", "id"],
    ["article_tags", "article_id"],
  ] as const) {
    await session.run(
      `INSERT INTO ${table}${to} SELECT * FROM ${table}${from} WHERE ${key} = ?`,
      id,
    );
    await session.run(`DELETE FROM ${table}${from} WHERE ${key} = ?`, id);
  }
}
