import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MUTANTS, type Mutant } from "./mutants.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COPIED = ["src", "test", "templates", "content", "site.config.ts", "package.json"];
const LINKED = ["node_modules", "tsconfig.json"];
const HISTORY = "test/pipeline/history.test.ts";
const SEED = process.env["SEED"] ?? "20261123";
/** Histories of 30 steps. */
const [FEW, MANY] = [5, 40];
/** A mutant that hangs is caught, too. */
const TIMEOUT_MS = 1_200_000;

const CONFIG = `import { defineConfig } from "vitest/config";
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/mutants/no-shrinking.ts"],
    globalSetup: ["test/services/global-setup.ts"],
    testTimeout: 60_000,
    bail: 1,
    maxWorkers: 1,
  },
});
`;

/** One suite, asked with so many histories. */
interface Ask {
  readonly suite: string;
  readonly histories: number;
}

/** What a suite said: undefined when it passed. */
type Complaint = string | undefined;

/**
 * Puts one fault after another into a copy of the code and asks the tests whether they notice:
 * a few histories first, then the mutant's own suites, then many histories. Arguments are words of
 * the names of the mutants to try. Ends with 1 when a mutant survives or cannot be made.
 */
async function main(words: readonly string[]): Promise<number> {
  const mutants = MUTANTS.filter(({ name }) => words.every((word) => name.includes(word)));
  const dir = await mkdtemp(join(tmpdir(), "nightbake-mutants-"));
  try {
    await copyTo(dir);
    await checkAll(dir, mutants);
    await checkUnchanged(dir, mutants);
    const survived: string[] = [];
    for (const mutant of mutants) if (!(await isCaught(dir, mutant))) survived.push(mutant.name);
    console.info(`${mutants.length - survived.length} of ${mutants.length} caught, seed ${SEED}`);
    for (const name of survived) console.info(`survived: ${name}`);
    return survived.length === 0 ? 0 : 1;
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function copyTo(dir: string): Promise<void> {
  for (const name of COPIED) await cp(join(ROOT, name), join(dir, name), { recursive: true });
  for (const name of LINKED) await symlink(join(ROOT, name), join(dir, name));
  await writeFile(join(dir, "vitest.config.ts"), CONFIG);
}

/** Finds all places that are not there, or not once, before anything slow begins. */
async function checkAll(dir: string, mutants: readonly Mutant[]): Promise<void> {
  const problems: string[] = [];
  for (const { name, file, find } of mutants) {
    const count = (await readFile(join(dir, file), "utf8")).split(find).length - 1;
    if (count !== 1) problems.push(`"${name}": found ${count} times in ${file}: ${find}`);
  }
  if (problems.length > 0) throw new Error(`Mutants do not fit the code.\n${problems.join("\n")}`);
}

/** A suite that fails without a fault would catch everything. */
async function checkUnchanged(dir: string, mutants: readonly Mutant[]): Promise<void> {
  const suites = new Set([HISTORY, ...mutants.flatMap((mutant) => mutant.suites ?? [])]);
  for (const suite of suites) {
    const complaint = await ask(dir, { suite, histories: FEW });
    if (complaint !== undefined) throw new Error(`${suite} fails without a fault: ${complaint}`);
  }
}

async function isCaught(dir: string, mutant: Mutant): Promise<boolean> {
  const { name, file, find, replace, suites = [] } = mutant;
  const path = join(dir, file);
  const source = await readFile(path, "utf8");
  const begunMs = performance.now();
  await writeFile(
    path,
    source.replace(find, () => replace),
  );
  try {
    for (const { suite, histories } of asks(suites)) {
      const complaint = await ask(dir, { suite, histories });
      if (complaint === undefined) continue;
      const seconds = ((performance.now() - begunMs) / 1000).toFixed(1);
      console.info(`caught     ${name} (${suite}, ${seconds} s): ${complaint}`);
      return true;
    }
    console.info(`SURVIVED   ${name}`);
    return false;
  } finally {
    await writeFile(path, source);
  }
}

function asks(suites: readonly string[]): readonly Ask[] {
  const all = { suite: HISTORY, histories: MANY };
  if (suites.length === 0) return [all];
  return [
    { suite: HISTORY, histories: FEW },
    ...suites.map((suite) => ({ suite, histories: FEW })),
    all,
  ];
}

async function ask(dir: string, { suite, histories }: Ask): Promise<Complaint> {
  const report = join(dir, "report.json");
  await rm(report, { force: true });
  const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
  const args = [vitest, "run", suite, "--reporter=json", `--outputFile=${report}`];
  const env = { ...process.env, HISTORIES: String(histories), SEED };
  const child = spawn(process.execPath, args, { cwd: dir, env, stdio: "ignore" });
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  const code = await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  if (code === 0) return undefined;
  return code === null ? "it hangs" : complaintOf(await readFile(report, "utf8"));
}

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly failureMessages: readonly string[] }[];
  }[];
}

/** The first failure of a report, as one line. @throws Error when no test ran: a mutant must at least load */
function complaintOf(text: string): string {
  const { testResults } = JSON.parse(text) as Report;
  const failures = testResults.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ failureMessages }) => failureMessages),
  );
  const [failure] = failures;
  if (failure !== undefined) return lineOf(failure);
  throw new Error(`No test ran: ${testResults.map(({ message }) => message).join(" ")}`);
}

/** How many histories it took and what was wrong; without the history itself. */
function lineOf(failure: string): string {
  const lines = failure.split("\n");
  const said = [lines[0], lines.find((line) => line.startsWith("Got "))];
  return said
    .filter((line) => line !== undefined)
    .join(", ")
    .slice(0, 200);
}

process.exitCode = await main(process.argv.slice(2));
