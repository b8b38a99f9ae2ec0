import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PipelineError, type Problem } from "../error.ts";
import type { ContentFile } from "../site.ts";
import { filesBelow } from "./assets.ts";

/**
 * Reads the Markdown files below a folder of `content/`, sorted by the bytes of their names.
 * Each begins with front matter: lines `title: …` and `description: …` between two lines `---`.
 * @throws PipelineError `input_invalid` with every malformed file
 */
export async function loadContent(dir: string): Promise<readonly ContentFile[]> {
  const names = (await filesBelow(dir)).filter((name) => name.endsWith(".md"));
  const problems: Problem[] = [];
  const files: ContentFile[] = [];
  for (const name of names) {
    const parsed = parse(name, await readFile(join(dir, name), "utf8"));
    if (typeof parsed === "string") problems.push({ place: join(dir, name), message: parsed });
    else files.push(parsed);
  }
  if (problems.length > 0) {
    throw new PipelineError("input_invalid", "Some content files cannot be used.", {
      hint: "Begin each with a line ---, a line title: …, and a line ---.",
      problems,
    });
  }
  return files.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

const FRONT_MATTER = /^---\r?\n(?<fields>[\s\S]*?)\r?\n---(?:\r?\n|$)/;

function parse(file: string, source: string): ContentFile | string {
  const match = FRONT_MATTER.exec(source);
  if (match === null) return "It does not begin with front matter.";
  const fields = new Map<string, string>();
  for (const line of (match.groups?.["fields"] ?? "").split(/\r?\n/)) {
    const [, name, value] = /^(\w+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return `This line is no field: ${line}`;
    fields.set(name, value.trim());
  }
  const unknown = [...fields.keys()].find((name) => name !== "title" && name !== "description");
  if (unknown !== undefined) return `It has a field "${unknown}"; known are title and description.`;
  const title = fields.get("title");
  if (title === undefined || title === "") return "It has no title.";
  const description = fields.get("description") ?? "";
  return {
    name: file.slice(0, -".md".length),
    title,
    description,
    body: source.slice(match[0].length),
  };
}
