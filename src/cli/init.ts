import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Config } from "../config.ts";
import { PipelineError } from "../error.ts";
import type { Begun } from "../init.ts";
import { mysqlAddress } from "../mysql-address.ts";
import { COMMON, type Command, configOf } from "./command.ts";
import { counted } from "./format.ts";
import { plain } from "./terminal.ts";

/** `nightbake init` */
export const initCommand: Command = {
  name: "init",
  summary: "Writes a site definition and templates to start from, out of a database's own schema.",
  details:
    "Tables with their keys and types, pages for rows that have a title or a slug, lists by time; each guess with its\n" +
    "reason. What looks like a secret or like a person's data is left out. Only the schema is read, and nothing is\n" +
    "written to the database. Files that are there are not overwritten without --force.",
  positionals: [],
  options: {
    from: {
      value: "URL",
      says: "mysql://user:password@host/database (default DATABASE_URL, which no list of processes shows).",
    },
    force: { says: "Overwrites the definition and the templates." },
    ...COMMON,
  },
  examples: [
    { line: "init --from mysql://reader@127.0.0.1/blog", says: "site.config.ts and templates/" },
    { line: "doctor", says: "what that database lacks for it, afterwards" },
  ],
  async run(args, io) {
    const config = configOf(args, io);
    const url = args.value("from") ?? config.databaseUrl;
    if (url === undefined) {
      throw new PipelineError("config_invalid", "There is no database to read the schema of.", {
        hint: "Name it with --from mysql://user:password@host/database, or set DATABASE_URL.",
      });
    }
    const { database } = mysqlAddress(url);
    // Imported late: the adapters take longer to load than `--help` to print.
    const [{ inventoryOf }, { begin }] = await Promise.all([
      import("../wiring-schema.ts"),
      import("../init.ts"),
    ]);
    const begun = begin(await inventoryOf(url), database);
    const written = await write(filesOf(config, begun), { isForced: args.has("force") });
    const names = written.map((file) => relative(config.cwd, file));
    if (args.has("json")) {
      const { tables, pages } = begun;
      io.out.write(`${JSON.stringify({ event: "begun", files: names, tables, pages })}\n`);
    } else io.out.write(begunText(begun, names));
    return 0;
  },
};

/** The definition last, so that what is cut off is not taken for whole. */
function filesOf(
  { configFile, templatesDir }: Config,
  { definition, templates }: Begun,
): ReadonlyMap<string, string> {
  const files = [...templates].map(([name, text]) => [join(templatesDir, name), text] as const);
  return new Map([...files, [configFile, definition]]);
}

async function write(
  files: ReadonlyMap<string, string>,
  { isForced }: { readonly isForced: boolean },
): Promise<readonly string[]> {
  const there = [...files.keys()].filter((file) => existsSync(file));
  if (there.length > 0 && !isForced) {
    const message = `${counted(there.length, "file")} would be overwritten, so nothing was written.`;
    throw new PipelineError("config_invalid", message, {
      hint: "Name another folder's definition with --config FILE, or overwrite with --force.",
      problems: there.map((place) => ({ place, message: "It is there already." })),
    });
  }
  for (const [file, text] of files) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return [...files.keys()];
}

function begunText({ tables, pages }: Begun, files: readonly string[]): string {
  const found =
    pages.length === 0
      ? "No table looks as if it had pages; the definition says why of each."
      : `Pages were guessed for ${plain(pages.join(", "))}.`;
  return (
    `${counted(tables, "table")} declared. ${found}\n` +
    `${files.map((file) => `  ${plain(file)}\n`).join("")}` +
    "Look the guesses through, set DATABASE_URL, then run `nightbake doctor` and `nightbake build --dry-run`.\n"
  );
}
