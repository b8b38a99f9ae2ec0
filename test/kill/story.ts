import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { World } from "../pipeline/world.ts";

/** Rows before anything happens: an author's and a topic's lists have archives. */
export function firstRows(world: World): void {
  for (let id = 1; id <= 6; id += 1) world.post(id);
  world.post(5, { topic: "z", body: "[two](/posts/p2/) [seven](/posts/p7/)" });
  world.post(8, { author: "bob" });
}

/** Changes of every kind: moves, deletes, an exchange of routes, a new page at an old route, pages that fail. */
export async function nextRows(world: World): Promise<void> {
  world.edit(1, "slug", "moved");
  world.edit(2, "status", "draft");
  world.edit(3, "slug", "p4");
  world.edit(4, "slug", "p3");
  world.edit(6, "topic", "z");
  // A page that never was live fails.
  world.post(7, { title: "throw" });
  world.post(9, { slug: "p2", body: "New" });
  world.sql("INSERT INTO people (handle, name) VALUES ('ann', 'Ann')");
  await writeFile(join(world.site.dir, "assets", "mark.svg"), "<svg><g/></svg>");
}

/** A page that has a last good version fails, too. */
export function spoilRow(world: World): void {
  world.edit(8, "title", "throw");
}
