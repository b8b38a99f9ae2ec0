import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { temporaryFolder } from "../test/services/daemon.ts";
import { type Figure, type StepName, table } from "./figures.ts";
import { measured } from "./measured.ts";
import { MODES, type Mode } from "./modes.ts";

const HELP = `Measures loading and building the corpus: from nothing, with nothing to do, and after one title changed.

  node bench/corpus.ts [--mode NAME]... [--runs N] [--json FILE]

  --mode  ${Object.keys(MODES).join(", ")} (default: the first two); embedded is SQLite to a folder,
          the others are MariaDB with the ledger in it to that S3 server
  --runs  of each mode, in turn with the others (default 3)
  --json  writes every figure there too
`;
const CORPUS = fileURLToPath(new URL("../../shared/corpus", import.meta.url));
const SITE = fileURLToPath(new URL("../site.config.ts", import.meta.url));
/** A published article of 2015 with three tags, so that lists and neighbours change with it. */
const EDITED = 1500;

const { values } = parseArgs({
  options: {
    mode: { type: "string", multiple: true, default: Object.keys(MODES).slice(0, 2) },
    runs: { type: "string", default: "3" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else await main(values.mode, Number(values.runs), values.json);

async function main(modes: readonly string[], runs: number, json: string | undefined) {
  const unknown = modes.filter((mode) => !Object.hasOwn(MODES, mode));
  if (unknown.length > 0 || !(runs > 0))
    throw new Error(`What is asked for is not there.\n${HELP}`);
  const [cpu] = cpus();
  say(`${cpus().length} × ${cpu?.model}, Node ${process.version}, load ${loadavg().join(" ")}`);
  const figures: Figure[] = [];
  for (let run = 1; run <= runs; run += 1) {
    for (const mode of modes) {
      for await (const figure of once(mode, run)) {
        figures.push(figure);
        say(JSON.stringify(figure));
      }
    }
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, null, 1)}\n`);
  process.stdout.write(table(figures));
}

/** All steps of one run, in a folder and with servers of its own. */
async function* once(name: string, run: number): AsyncGenerator<Figure> {
  const dir = temporaryFolder("bench");
  mkdirSync(`${dir}/cwd`);
  try {
    await using mode = await (MODES[name] as (typeof MODES)[string])(dir);
    const at = { env: mode.env, cwd: `${dir}/cwd` };
    const step = async (named: StepName, args: readonly string[]): Promise<Figure> => {
      const [loadAverage = 0] = loadavg();
      const { lines, ...cost } = await measured([...args, "--json", "--config", SITE], at);
      return { mode: name, run, step: named, ...cost, ...counts(lines), loadAverage };
    };
    yield await step("load", ["load", CORPUS]);
    yield await step("cold", ["build"]);
    yield await step("no-op", ["build"]);
    await editTitle(mode);
    yield await step("one title", ["build"]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** As an application with a listing table does: in both tables. */
async function editTitle(mode: Mode): Promise<void> {
  const title = "A title that nobody has given to an article yet";
  await mode.write("UPDATE articles SET title = ? WHERE id = ?", [title, EDITED]);
  await mode.write("UPDATE article_tags SET title = ? WHERE article_id = ?", [title, EDITED]);
}

function counts(
  lines: readonly Record<string, unknown>[],
): Pick<Figure, "candidates" | "rendered" | "changed" | "bytes"> {
  const summary = lines.find(({ event }) => event === "summary");
  if (summary !== undefined) {
    const { candidates, rendered, changed, bytes } = summary as unknown as Figure;
    return { candidates, rendered, changed, bytes };
  }
  const tables = lines.find(({ event }) => event === "loaded")?.["tables"];
  const rows = (tables as readonly { readonly inserted: number }[]).reduce(
    (sum, { inserted }) => sum + inserted,
    0,
  );
  return { candidates: rows, rendered: 0, changed: rows, bytes: 0 };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
