import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporary } from "../cli/fakes.ts";
import { nightbake, ROOT } from "../cli/nightbake.ts";
import { describeWith } from "../services/requires.ts";
import { mysqlDatabase } from "../source/database.ts";

/** A blog as its own software would have made it, with all that a definition cannot say. */
const SCHEMA = [
  `CREATE TABLE users (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) NOT NULL,
    email VARCHAR(120), password_hash VARBINARY(60))`,
  `CREATE TABLE blog_posts (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, slug VARCHAR(100) NOT NULL, title VARCHAR(200),
    body MEDIUMTEXT, author_id BIGINT UNSIGNED, status VARCHAR(20) COLLATE utf8mb4_nopad_bin NOT NULL, meta JSON,
    price DECIMAL(10,2), pinned TINYINT(1) NOT NULL DEFAULT 0, author_email VARCHAR(99), big BIGINT NOT NULL DEFAULT 9007199254740993,
    published_at DATETIME NOT NULL, updated_at TIMESTAMP NOT NULL, deleted_at DATETIME, UNIQUE KEY (slug),
    FOREIGN KEY (author_id) REFERENCES users (id)) COLLATE utf8mb4_general_ci`,
  `CREATE TABLE newest (id INT PRIMARY KEY, name VARCHAR(50), state ENUM('draft', 'it''s', 'live') NOT NULL, created_at DATETIME NOT NULL)`,
  "CREATE TABLE link (a INT, b INT, subject VARCHAR(9), PRIMARY KEY (a, b))",
  "CREATE TABLE `class` (`key` VARCHAR(9) COLLATE utf8mb4_general_ci PRIMARY KEY, name TEXT)",
  "CREATE TABLE members (id INT PRIMARY KEY, name TEXT, api_key VARCHAR(9))",
  "CREATE TABLE customers (id INT PRIMARY KEY, name TEXT, phone VARCHAR(20))",
  "CREATE TABLE offers (id INT PRIMARY KEY, title TEXT, status TINYINT NOT NULL)",
  "CREATE TABLE counters (id INT PRIMARY KEY, hits INT)",
  "CREATE TABLE log (line TEXT)",
  "CREATE TABLE `odd name` (`a``b` INT PRIMARY KEY)",
  "CREATE TABLE geo (id DECIMAL(9) PRIMARY KEY, `to\nday` INT)",
  "CREATE VIEW everything AS SELECT * FROM blog_posts",
];

const ROWS = [
  "INSERT INTO users (name, email) VALUES ('Ann', 'ann@example.com')",
  `INSERT INTO blog_posts (slug, title, body, author_id, status, meta, author_email, published_at, updated_at, deleted_at) VALUES
    ('first', 'First <b>', '# Hello', 1, 'published', '{"a": 1}', 'x@y', '2024-01-02', '2024-01-03', NULL),
    ('draft', 'Draft', '', 1, 'draft', NULL, NULL, '2024-01-02', '2024-01-03', NULL),
    ('gone', NULL, '', NULL, 'published', NULL, NULL, '2024-01-02', '2024-01-03', NOW())`,
  "INSERT INTO newest VALUES (1, 'Only', 'live', NOW()), (2, 'None', 'draft', NOW())",
  "INSERT INTO link VALUES (1, 2, 'Both')",
];

/** A folder whose definition finds the package, as one that has installed it. */
function folder(): string {
  const cwd = temporary();
  mkdirSync(join(cwd, "node_modules"));
  symlinkSync(ROOT, join(cwd, "node_modules", "nightbake"));
  return cwd;
}

/** What the type checker says of a folder's definition. */
async function typeErrors(cwd: string): Promise<string> {
  const own = JSON.parse(readFileSync(join(ROOT, "tsconfig.json"), "utf8"));
  const options = { ...own.compilerOptions, typeRoots: [join(ROOT, "node_modules", "@types")] };
  const config = { compilerOptions: options, include: ["site.config.ts"] };
  writeFileSync(join(cwd, "tsconfig.json"), JSON.stringify(config));
  writeFileSync(join(cwd, "package.json"), JSON.stringify({ type: "module" }));
  const tsc = join(ROOT, "node_modules", ".bin", "tsc");
  return await promisify(execFile)(tsc, ["-p", cwd]).then(
    () => "",
    ({ stdout }) => stdout,
  );
}

describeWith("shared-mariadb", "nightbake init", () => {
  test("what it writes type-checks, and builds the site of that database", async () => {
    await using database = await mysqlDatabase();
    await database.run(...SCHEMA, ...ROWS);
    const cwd = folder();

    const begun = await nightbake(["init", "--from", database.at], { cwd });
    const [again, built, errors] = await Promise.all([
      nightbake(["init", "--from", database.at], { cwd }),
      nightbake(["build"], { cwd, env: { DATABASE_URL: database.at } }),
      typeErrors(cwd),
    ]);

    const text = readFileSync(join(cwd, "site.config.ts"), "utf8");
    const page = (route: string) => readFileSync(join(cwd, "dist", route, "index.html"), "utf8");
    expect(begun).toMatchObject({ code: 0, err: "" });
    expect(begun.out).toContain("Pages were guessed for blog_posts, link, newest.");
    expect(again.code).toBe(2);
    expect(again.err).toContain("site.config.ts: It is there already.");
    expect(errors).toBe("");
    expect(built).toMatchObject({ code: 0, err: expect.stringMatching(/^New pages: /) });
    await expect(text.replace(/source_\w+/, "blog")).toMatchFileSnapshot("golden/site.config.txt");
    expect(page("blog_posts/first")).toContain("<h2>Hello</h2>");
    expect(page("blog_posts/first")).toContain("<dt>author</dt><dd>Ann</dd>");
    expect(page("newest/1")).toContain("Only");
    expect(() => page("blog_posts/draft")).toThrow("ENOENT");
    expect(() => page("blog_posts/gone")).toThrow("ENOENT");
    expect(() => page("newest/2")).toThrow("ENOENT");
    expect(page("")).toContain("First &lt;b&gt;");
    expect(text + page("blog_posts/first")).not.toMatch(/x@y|ann@example/);
  });

  test("a database without tables begins a site with one page", async () => {
    await using database = await mysqlDatabase();
    const cwd = folder();

    await nightbake(["init"], { cwd, env: { DATABASE_URL: database.at } });
    const built = await nightbake(["build"], { cwd, env: { DATABASE_URL: database.at } });

    expect(built.code).toBe(0);
  });
});

test("without a database it says where to name one", async () => {
  const { code, err } = await nightbake(["init"]);

  expect(code).toBe(2);
  expect(err).toContain("--from mysql://");
});
