import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";

/** One change of the rows, as an editor or a bad import would make it. */
export type Change =
  | { readonly do: "post"; readonly id: number; readonly post: Post }
  | { readonly do: "edit"; readonly id: number; readonly column: string; readonly value: unknown }
  | { readonly do: "delete"; readonly id: number }
  | { readonly do: "person"; readonly handle: string; readonly name: string | undefined }
  | { readonly do: "redirect"; readonly from: string; readonly to: string | undefined };

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

/** Writes changes; slugs stay unique, and the listing table follows the posts. */
export function writeRows(file: string, changes: readonly Change[]): void {
  const database = new DatabaseSync(file);
  try {
    for (const each of changes) apply(database, each);
    fillTopics(database);
  } finally {
    database.close();
  }
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
          unique(own, each.id),
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
      const value = each.column === "slug" ? unique(String(each.value), each.id) : each.value;
      database
        .prepare(`UPDATE posts SET ${each.column} = ? WHERE id = ?`)
        .run(value as string | number | null, each.id);
      break;
    }
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

/** Slugs differ by row, so that histories with two rows of one route stay out of this test. */
function unique(own: string, at: number): string {
  return `${own}${at}`;
}
