import { DatabaseSync } from "node:sqlite";
import { DAY, fillTopics, START } from "../pipeline/rows.ts";
import type { Dice } from "./dice.ts";

/** Rows that editors change while publishers race. */
export interface Edits extends Disposable {
  /** How many edits there were. */
  readonly position: number;
  /** Changes something and gives the rows, as targets of a rebuild. */
  make(): readonly string[];
}

/** So few that contents come back soon. */
const POSTS = 4;

type Run = (sql: string, ...values: readonly (string | number | null)[]) => void;

/** Opens the source of a small site and fills it. */
export function openEdits(file: string, dice: Dice): Edits {
  const database = new DatabaseSync(file);
  const run: Run = (sql, ...values) => void database.prepare(sql).run(...values);
  let position = 0;
  fill(run, dice);
  fillTopics(database);
  return {
    get position() {
      return position;
    },
    make() {
      position += 1;
      const before = topicsIn(database);
      const [a, b] = [dice.between(1, POSTS), dice.between(1, POSTS)];
      edit({ run, dice, position, a, swap: (column) => swap(database, column, [a, b]) });
      fillTopics(database);
      const topics = new Set([...before, ...topicsIn(database)]);
      return [`posts:${a}`, `posts:${b}`, ...topics];
    },
    [Symbol.dispose]: () => database.close(),
  };
}

function fill(run: Run, dice: Dice): void {
  for (let id = 1; id <= POSTS; id += 1) {
    const [author, topic] = [dice.pick(["ann", "bob"]), dice.pick(["x", "X"])];
    run(
      `INSERT INTO posts (id, slug, title, body, author, topic, status, published_at)
        VALUES (?, ?, 'A', '', ?, ?, 'published', ?)`,
      ...[id, `a${id}`, author, topic, START - (POSTS - id) * 20 * DAY],
    );
  }
}

interface Edit {
  readonly run: Run;
  readonly dice: Dice;
  readonly position: number;
  /** A post. */
  readonly a: number;
  /** Two posts exchange a column, so that counts and titles stay. */
  readonly swap: (column: string) => void;
}

/** Contents come back (A, B, A) as often as not, and of a note but a header tells the author. */
function edit({ run, dice, position, a, swap }: Edit): void {
  const set = (column: string, value: string | null) =>
    run(`UPDATE posts SET ${column} = ? WHERE id = ?`, value, a);
  const edits: readonly (() => void)[] = [
    () => set("title", `T${position}`),
    () => set("title", "A"),
    () => set("title", "B"),
    () => set("title", dice.pick(["A", "B"])),
    () => set("author", "ann"),
    () => set("author", "bob"),
    () => set("status", dice.pick(["published", "published", "draft"])),
    () => set("topic", dice.pick(["x", "X", null])),
    // Its number it keeps, so that no two have the same.
    () =>
      run("UPDATE posts SET slug = ? || ltrim(slug, 'ab') WHERE id = ?", dice.pick(["a", "b"]), a),
    () => swap(dice.pick(["slug", "topic", "author"])),
  ];
  dice.pick(edits)();
}

/** Rows of the listing table, as targets. */
function topicsIn(database: DatabaseSync): readonly string[] {
  const rows = database.prepare("SELECT topic || ',' || post_id AS name FROM topics").all();
  return rows.map(({ name }) => `topics:${name}`);
}

function swap(database: DatabaseSync, column: string, ids: readonly [number, number]): void {
  const rows = database
    .prepare(`SELECT id, ${column} AS value FROM posts WHERE id IN (?, ?)`)
    .all(...ids);
  const update = database.prepare(`UPDATE posts SET ${column} = ? WHERE id = ?`);
  for (const [at, { id = null }] of rows.entries())
    update.run(rows.at(-1 - at)?.["value"] ?? null, id);
}
