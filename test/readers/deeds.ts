import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RowsFile } from "../history/rows-file.ts";
import { type Change, START } from "../pipeline/rows.ts";
import { FILES } from "../pipeline/small-site.ts";
import type { Deed } from "./moments.ts";

/** Templates that show an asset; each is made for the look that the asset gives. */
const LOOKING = ["post", "list", "home"];
const ASSET = "assets/mark.svg";

/** Does what rows and templates show, and gives the rows that changed, as targets of a rebuild. */
export function perform(rows: RowsFile, dir: string, deed: Deed): readonly string[] {
  switch (deed.do) {
    case "rows":
      return rows.write(deed.changes);
    case "cluster":
      return rows.write(cluster(deed));
    case "delete most":
      return run(rows, `DELETE FROM posts WHERE id % ${deed.but + 2} <> 1`);
    case "delete author":
      return run(rows, `DELETE FROM posts WHERE author = '${deed.author}'`);
    case "rename author":
      return run(rows, `UPDATE posts SET author = '${deed.to}' WHERE author = '${deed.from}'`);
    case "status":
      return run(rows, `UPDATE posts SET status = '${deed.status}' WHERE id % ${deed.of} = 0`);
    case "rename posts":
      return run(rows, `UPDATE posts SET slug = '${deed.slug}' || id WHERE id % ${deed.of} = 0`);
    case "look":
      setLook(dir, deed.look);
      return [];
    case "caching":
      return [];
  }
}

/** Runs SQL; the listing table follows the posts. */
function run(rows: RowsFile, sql: string): readonly string[] {
  return [...rows.exec(sql), ...rows.write([])];
}

/** Makes templates and their asset for each other. */
export function setLook(dir: string, look: number): void {
  const img = `<!-- look ${look} --><img src="<%= asset("mark.svg") %>" alt="">`;
  for (const name of LOOKING) {
    const file = `templates/${name}.eta`;
    writeFileSync(join(dir, file), `${FILES[file]}${img}`);
  }
  writeFileSync(join(dir, ASSET), `<svg><!-- look ${look} --></svg>`);
}

function cluster({ from, posts, topic }: Deed & { do: "cluster" }): readonly Change[] {
  const ids = Array.from({ length: posts }, (_, at) => from + at);
  const links = ids.map((id) => `[p](/posts/c${id}/) [n](/notes/${id}/)`).join(" ");
  return ids.map((id) => ({
    do: "post",
    id,
    post: {
      slug: "c",
      title: "Cluster",
      body: links,
      author: "cy",
      topic,
      status: "published",
      published_at: START - id,
      expires_at: null,
    },
  }));
}
