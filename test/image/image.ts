import { readFileSync } from "node:fs";
import { join, matchesGlob } from "node:path";
import { ROOT } from "../cli/nightbake.ts";

/** One stage of a Dockerfile, with what stands in it. */
export interface Stage {
  readonly name: string | undefined;
  readonly image: string;
  readonly steps: readonly Step[];
}

interface Step {
  /** `COPY` */
  readonly word: string;
  readonly rest: string;
}

/** The stages of the repository's Dockerfile, which has no steps of several lines. */
export function stages(): readonly Stage[] {
  const lines = readFileSync(join(ROOT, "Dockerfile"), "utf8").split("\n");
  const found: { name: string | undefined; image: string; steps: Step[] }[] = [];
  for (const line of lines) {
    const [, word = "", rest = ""] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    const [image = "", , name] = rest.split(" ");
    if (word === "FROM") found.push({ image, name, steps: [] });
    else if (word !== "") found.at(-1)?.steps.push({ word, rest });
  }
  return found;
}

/** What the stage copies out of the repository, as paths below it. */
export function copied({ steps }: Stage): readonly string[] {
  return steps
    .filter(({ word, rest }) => word === "COPY" && !rest.startsWith("--from="))
    .flatMap(({ rest }) => rest.split(" ").slice(0, -1));
}

/**
 * Whether a file is sent to the builder: the last line of .dockerignore that fits it, or a folder
 * above it, decides (Docker's reference, ".dockerignore file").
 */
export function isSent(file: string): boolean {
  const lines = readFileSync(join(ROOT, ".dockerignore"), "utf8").split("\n");
  const rules = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const parts = file.split("/");
  const paths = parts.map((_, at) => parts.slice(0, at + 1).join("/"));
  let sent = true;
  for (const rule of rules) {
    const isBack = rule.startsWith("!");
    const glob = isBack ? rule.slice(1) : rule;
    if (paths.some((path) => fits(path, glob))) sent = isBack;
  }
  return sent;
}

/** Docker's `*` fits a name that begins with a dot, which Node's does not. */
function fits(path: string, glob: string): boolean {
  const shown = (text: string) => text.replaceAll(/(^|\/)\./g, "$1dot.");
  return matchesGlob(shown(path), shown(glob));
}
