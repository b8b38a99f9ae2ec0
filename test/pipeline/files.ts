import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { FILES } from "./small-site.ts";

/** One change of what stands in a site's folder. */
export interface FileChange {
  readonly file: string;
  /** Stands after the file's first text; undefined removes the file. */
  readonly mark: string | undefined;
}

const mark = fc.constantFrom("", "1", "2");

/** Random changes of templates, a partial, an asset and content; one page of content comes and goes. */
export const fileChange: fc.Arbitrary<FileChange> = fc.oneof(
  fc.record({
    file: fc.constantFrom(
      "templates/entry.eta",
      "templates/note.eta",
      "templates/urls.eta",
      "assets/mark.svg",
      "pages/about.md",
    ),
    mark,
  }),
  fc.record({
    file: fc.constant("pages/other.md"),
    mark: fc.option(mark, { nil: undefined, freq: 1 }),
  }),
  fc.record({
    file: fc.constant("redirects.txt"),
    mark: fc.option(
      fc.constantFrom("/old/ /all/", "/old/ /posts/a1/", "/old/ /older/\n/posts/b2/ /old/"),
      { nil: undefined, freq: 1 },
    ),
  }),
);

/** Writes changes to a site's folder. */
export async function writeFiles(dir: string, changes: readonly FileChange[]): Promise<void> {
  for (const { file, mark } of changes) {
    const path = join(dir, file);
    if (mark === undefined) await rm(path, { force: true });
    else await writeFile(path, (FILES[file] ?? "---\ntitle: Other\n---\n") + mark);
  }
}
