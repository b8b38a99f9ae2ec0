import type { Config } from "../config.ts";
import { PipelineError } from "../error.ts";
import { didYouMean } from "../nearest.ts";
import type { ScriptStep } from "../source/schema-script.ts";
import type { Script, Target } from "../wiring-schema.ts";
import type { Args } from "./args.ts";
import { COMMON, type Command, configOf } from "./command.ts";
import { plain } from "./terminal.ts";

/** `nightbake schema` */
export const schemaCommand: Command = {
  name: "schema",
  summary: "Prints the SQL that makes a database what the site declares; runs none of it.",
  details:
    "Tables with their keys, an index for each list, and for listing tables (`fill`) the INSERT … SELECT that fills\n" +
    "them. With --diff what the database that is set lacks, or has otherwise; what may lose values, or fail where rows\n" +
    "do not fit, stands there as a comment. Exit code 1 when --diff found something.\n\n" +
    "A listing table is kept up to date by whoever writes the table that it lists.",
  positionals: [],
  options: {
    diff: { says: "Compares with the database (DATABASE_URL, or the embedded source)." },
    for: {
      value: "NAME",
      says: "mariadb, mysql or sqlite (default mariadb, or sqlite without DATABASE_URL).",
    },
    ...COMMON,
  },
  examples: [
    { line: "schema --for mysql > site.sql", says: "for an empty database" },
    { line: "schema --diff", says: "what is missing or other" },
  ],
  async run(args, io) {
    const isDiff = args.has("diff");
    const config = configOf(args, io);
    const target = isDiff ? refuseTarget(args) : await targetOf(args, config);
    // Imported late: the adapters take longer to load than `--help` to print.
    const { scriptOf } = await import("../wiring-schema.ts");
    const script = await scriptOf(config, target);
    if (args.has("json")) {
      for (const each of script.steps) {
        io.out.write(`${JSON.stringify({ event: "statement", ...each })}\n`);
      }
    } else io.out.write(scriptText(script));
    return isDiff && script.steps.length > 0 ? 1 : 0;
  },
};

async function targetOf(args: Args, { databaseUrl }: Config): Promise<Target> {
  const name = args.value("for") ?? (databaseUrl === undefined ? "sqlite" : "mariadb");
  const { TARGETS } = await import("../wiring-schema.ts");
  const found = TARGETS.find((each) => each === name);
  if (found !== undefined) return found;
  const message = `There is no kind of database called ${plain(name)}.${didYouMean(name, TARGETS)}`;
  throw new PipelineError("config_invalid", message, { hint: `There are ${TARGETS.join(", ")}.` });
}

function refuseTarget(args: Args): undefined {
  if (!args.has("for")) return undefined;
  throw new PipelineError("config_invalid", "--diff compares with the database that is set.", {
    hint: "Leave --for away.",
  });
}

/** Instants are UTC and what does not fit is refused, however the session is; an empty script says so. */
function scriptText({ steps, isMysql }: Script): string {
  if (steps.length === 0) return "-- The database is as the site declares.\n";
  const session =
    "SET NAMES utf8mb4;\nSET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES';\n\n";
  const head = isMysql ? session : "";
  return head + steps.map(stepText).join("\n");
}

function stepText({ place, why, sql, isRisky }: ScriptStep): string {
  const comment = `-- ${plain(place)}: ${plain(why)}\n`;
  if (sql === undefined) return `${comment}-- No one statement does it: create the table anew.\n`;
  const statement = `${sql};\n`;
  if (!isRisky) return comment + statement;
  return `${comment}-- Look at it before you run it:\n${statement.replaceAll(/^/gm, "-- ").replace(/-- $/, "")}`;
}
