import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";

/** One change of the rows, as an editor or a bad import would make it. */
export type Change =
  | { readonly do: "post"; readonly id: number; readonly post: Post }
  | { readonly do: "edit"; readonly id: number; readonly column: string; readonly value: unknown }
  | { readonly do: "delete"; readonly id: number }
  /** Another key, unless a post has it. */
  | { readonly do: "rename"; readonly id: number; readonly to: number }
  | { readonly do: "swap slugs"; readonly id: number; readonly with: number }
  /** The slug of another post, so that two want one route. */
  | { readonly do: "copy slug"; readonly id: number; readonly of: number }
  /** A value as SQL that the declaration does not allow. */
  | { readonly do: "spoil"; readonly id: number; readonly column: string; readonly value: string }
  | { readonly do: "redirect"; readonly from: string; readonly to: string | undefined }
  | { readonly do: "person"; readonly handle: string; readonly name: string | undefined };

interface Post {
  readonly slug: string;
  readonly title: string;
  readonly body: string;
  readonly author: string;
  readonly topic: string | null;
  readonly status: string;
  readonly published_at: number;
  readonly expires_at: number | null;
}

export const DAY = 86_400_000_000;
/** 9999-12-31, as many say "never"; no safe integer. */
const NEVER = 253_402_214_400_000_000;
export const START = Date.UTC(2024, 0, 1) * 1000;

/** What posts may be about; some are names of people. */
export const TOPICS = ["x", "X", "y z", "ann", "bob"];

/** Links to what twelve posts may be called. */
const LINKS = Array.from(
  { length: 12 },
  (_, at) => `[a](/posts/a${at + 1}/) [b](/posts/b${at + 1}/)`,
);

const slug = fc.constantFrom("a", "b", "c", "d/e", "ü", "Z", "%e2");
// Most are of one author and topic, whose lists have archives of several windows.
const author = fc.constantFrom("ann", "ann", "ann", "bob", "Ann");
const topic = fc.constantFrom("x", "x", ...TOPICS, null);
/** Days, and a few moments at the ends of months and years, so that there are ties. */
const moment = fc.oneof(
  { weight: 2, arbitrary: fc.integer({ min: -400, max: 400 }).map((n) => START + n * DAY) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(0, 31, 60)
      .chain((days) => fc.constantFrom(START + days * DAY, START + days * DAY - 1)),
  },
);
const title = fc.constantFrom("One", "Two", "<b>&", "日本");
const body = fc.constantFrom(
  "",
  `${LINKS.join(" ")} [o](/other/)`,
  "[y](/notes/3/) [z](/nowhere/)",
  "*em*",
);

const post: fc.Arbitrary<Post> = fc.record({
  slug,
  title,
  body,
  author,
  topic,
  status: fc.constantFrom("published", "published", "published", "draft"),
  published_at: moment,
  expires_at: fc.oneof(
    { weight: 3, arbitrary: fc.constant(null) },
    { weight: 2, arbitrary: moment },
    { weight: 1, arbitrary: fc.constant(NEVER) },
  ),
});

const id = fc.integer({ min: 1, max: 12 });

const column = fc.constantFrom<keyof Post>(
  "slug",
  "title",
  "body",
  "author",
  "topic",
  "status",
  "published_at",
  "expires_at",
);

/** A post that is new or replaces the one with its id. */
export const postChange: fc.Arbitrary<Change> = fc.record({
  do: fc.constant("post" as const),
  id,
  post,
});

/** Routes that redirects stand at: some that pages may have, and some that redirects lead to. */
export const REDIRECTS = [
  "/old/",
  "/older/",
  "/posts/a1/",
  "/posts/b2/",
  "/posts/c3/",
  "/notes/4/",
];

const target = fc.constantFrom(
  ...REDIRECTS,
  ...["/posts/a2/", "/posts/b1/", "/posts/a3/", "/all/", "/authors/ann/", "/other/"],
  "https://else.example/?a=1&b=2",
);

const redirectChange: fc.Arbitrary<Change> = fc.record({
  do: fc.constant("redirect" as const),
  from: fc.constantFrom(...REDIRECTS),
  to: fc.option(target, { nil: undefined, freq: 3 }),
});

/** Random changes of a dozen posts, three people and a few redirects. */
export const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: postChange },
  {
    weight: 4,
    arbitrary: fc.tuple(id, post, column).map(([at, values, name]) => ({
      do: "edit" as const,
      id: at,
      column: name,
      value: values[name],
    })),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), id }) },
  { weight: 2, arbitrary: redirectChange },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("rename" as const), id, to: id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("swap slugs" as const), id, with: id }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("person" as const),
      handle: author,
      name: fc.option(fc.constantFrom("Ann", "Bob"), { nil: undefined }),
    }),
  },
);

/** A post whose page cannot be rendered. */
export const badChange: fc.Arbitrary<Change> = id.map((at) => ({
  do: "edit",
  id: at,
  column: "title",
  value: "throw",
}));

/** Values that no column allows, for tables that let them in. */
const spoiled = fc.constantFrom(
  ["title", "x'ff'"],
  ["status", "'gone'"],
  ["author", "NULL"],
  ["extra", "'{'"],
  ["slug", "'../up'"],
  ["published_at", "'soon'"],
);

/** Bad rows of every kind; a later change of the same post may mend them. */
export const anyBadChange: fc.Arbitrary<Change> = fc.oneof(
  { weight: 2, arbitrary: badChange },
  {
    weight: 2,
    arbitrary: fc.tuple(id, spoiled).map(([at, [name = "", value = ""]]) => ({
      do: "spoil" as const,
      id: at,
      column: name,
      value,
    })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("copy slug" as const), id, of: id }),
  },
);

/** Writes changes; slugs stay unique, and the listing table follows the posts. */
export function writeRows(file: string, changes: readonly Change[]): void {
  const database = new DatabaseSync(file);
  try {
    applyChanges(database, changes);
  } finally {
    database.close();
  }
}

/** Does what {@link writeRows} does. */
export function applyChanges(database: DatabaseSync, changes: readonly Change[]): void {
  database.exec("BEGIN");
  for (const each of changes) apply(database, each);
  fillTopics(database);
  database.exec("COMMIT");
}

/** Mends the rows whose pages cannot be rendered, and takes out the redirects, any of which may lead nowhere. */
export function mendRows(file: string): void {
  const database = new DatabaseSync(file);
  try {
    database.exec("UPDATE posts SET title = 'Mended' WHERE title = 'throw'");
    database.exec("DELETE FROM moved");
    fillTopics(database);
  } finally {
    database.close();
  }
}

/** Makes the listing table follow the posts. */
export function fillTopics(database: DatabaseSync): void {
  database.exec(`DELETE FROM topics; INSERT INTO topics (topic, post_id, title, status, published_at, expires_at)
    SELECT topic, id, title, status, published_at, expires_at FROM posts WHERE topic IS NOT NULL`);
}

function apply(database: DatabaseSync, each: Change): void {
  switch (each.do) {
    case "post": {
      const {
        slug: own,
        title: heading,
        body: text,
        author: by,
        topic: about,
        status,
        ...times
      } = each.post;
      database
        .prepare(`INSERT OR REPLACE INTO posts (id, slug, title, body, author, topic, status, published_at, expires_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
        .run(
          each.id,
          unique(database, own, each.id),
          heading,
          text,
          by,
          about,
          status,
          times.published_at,
          times.expires_at,
        );
      break;
    }
    case "edit": {
      const value =
        each.column === "slug" ? unique(database, String(each.value), each.id) : each.value;
      database
        .prepare(`UPDATE posts SET ${each.column} = ? WHERE id = ?`)
        .run(value as string | number | null, each.id);
      break;
    }
    case "rename":
      database.prepare("UPDATE OR IGNORE posts SET id = ? WHERE id = ?").run(each.to, each.id);
      break;
    case "swap slugs":
      swap(database, "slug", [each.id, each.with]);
      break;
    case "copy slug":
      database
        .prepare(`UPDATE posts SET slug = (SELECT slug FROM posts WHERE id = ?1)
           WHERE id = ?2 AND EXISTS (SELECT 1 FROM posts WHERE id = ?1)`)
        .run(each.of, each.id);
      break;
    case "spoil":
      database.prepare(`UPDATE posts SET ${each.column} = ${each.value} WHERE id = ?`).run(each.id);
      break;
    case "delete":
      database.prepare("DELETE FROM posts WHERE id = ?").run(each.id);
      break;
    case "redirect":
      if (each.to === undefined) {
        database.prepare("DELETE FROM moved WHERE from_route = ?").run(each.from);
      } else {
        database.prepare("INSERT OR REPLACE INTO moved VALUES (?, ?)").run(each.from, each.to);
      }
      break;
    case "person":
      if (each.name === undefined) {
        database.prepare("DELETE FROM people WHERE handle = ?").run(each.handle);
      } else {
        database.prepare("INSERT OR REPLACE INTO people VALUES (?, ?)").run(each.handle, each.name);
      }
  }
}

/** Slugs end in numbers, of which each post keeps its own: two have the same only if one copies it. */
function unique(database: DatabaseSync, own: string, at: number): string {
  const numbers = new Map(
    database
      .prepare("SELECT id, slug FROM posts")
      .all()
      .map(({ id: post, slug: text }) => [Number(post), Number(/\d*$/.exec(String(text))?.[0])]),
  );
  const taken = new Set(numbers.values());
  let number = numbers.get(at) || at;
  if (!numbers.has(at)) while (taken.has(number)) number += 1;
  return `${own}${number}`;
}

/** Two posts exchange a column, if both are there; one statement would see what it wrote itself. */
function swap(database: DatabaseSync, column: string, ids: readonly [number, number]): void {
  const rows = database
    .prepare(`SELECT id, ${column} AS value FROM posts WHERE id IN (?, ?)`)
    .all(...ids);
  const update = database.prepare(`UPDATE posts SET ${column} = ? WHERE id = ?`);
  for (const [at, row] of rows.entries()) {
    update.run(rows[rows.length - 1 - at]?.["value"] ?? null, row["id"] ?? null);
  }
}
