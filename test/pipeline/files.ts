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
    mark: fc.option(mark, { nil: undefined, freq: 2 }),
  }),
  fc.record({
    file: fc.constant("redirects.txt"),
    mark: fc.option(
      fc.constantFrom("/old/ /all/", "/old/ /posts/a1/", "/old/ /older/\n/posts/b2/ /old/"),
      { nil: undefined, freq: 2 },
    ),
  }),
);

/** Templates that begin to throw on some of their pages, or cease to. */
export const badFileChange: fc.Arbitrary<FileChange> = fc
  .constantFrom(
    ["note", 'it.title === "About" || it.row?.title === "Two"'],
    ["list", 'it.part === "x" || it.window?.n === 2'],
    ["home", "it.latest.length === 3"],
    ["urls", 'it.urls.some((u) => u.route === "/notes/1/")'],
    ["index", "it.sitemaps.length > 5"],
  )
  .chain(([name = "", when = ""]) =>
    fc.record({
      file: fc.constant(`templates/${name}.eta`),
      mark: fc.constantFrom("", `<% if (${when}) { throw new Error("asked for"); } %>`),
    }),
  );

/** Mends the templates that throw. */
export const MENDED: readonly FileChange[] = [
  ...["note", "list", "home", "urls", "index"].map((name) => `templates/${name}.eta`),
  "redirects.txt",
].map((file) => ({ file, mark: "" }));

/** Writes changes to a site's folder. */
export async function writeFiles(dir: string, changes: readonly FileChange[]): Promise<void> {
  for (const change of changes) {
    const path = join(dir, change.file);
    const text = fileText(change);
    if (text === undefined) await rm(path, { force: true });
    else await writeFile(path, text);
  }
}

/** What a file holds after a change; undefined when it is gone. */
export function fileText({ file, mark }: FileChange): string | undefined {
  return mark === undefined ? undefined : (FILES[file] ?? "---\ntitle: Other\n---\n") + mark;
}
