import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { runCli } from "../../src/cli/cli.ts";
import { readConfig } from "../../src/config.ts";
import { fakeIo, temporary } from "./fakes.ts";

/** The clone's own folder, with `site.config.ts`. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

const HERE = process.cwd();

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Around {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/**
 * Runs `nightbake ARGS` in this process, with no settings but `env`: a tenth of the work of one of its own. What a
 * process keeps of the files that it has loaded it keeps: a changed site definition needs another.
 */
export async function command(
  argv: readonly string[],
  { env = {}, cwd = temporary() }: Around = {},
): Promise<Ended> {
  const io = {
    ...fakeIo(),
    now: () => performance.now(),
    config: (options: object) => readConfig({ env, cwd, options }),
  };
  process.chdir(cwd);
  try {
    const code = await runCli(argv, io);
    return { code, out: io.out.text(), err: io.err.text() };
  } finally {
    process.chdir(HERE);
  }
}

/** Runs `nightbake ARGS` in a process of its own, with no settings but `env`, to its end. */
export async function nightbake(argv: readonly string[], around: Around = {}): Promise<Ended> {
  return started(argv, around).ended;
}

/** The same, while it runs. */
export function started(
  argv: readonly string[],
  { env = {}, cwd = temporary() }: Around = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const own = { PATH: process.env["PATH"] ?? "", ...env };
  const child = spawn(process.execPath, [MAIN, ...argv], { cwd, env: own });
  const [out, err] = [text(child.stdout), text(child.stderr)];
  const ended = once(child, "close").then(async ([code]) => ({
    code: code as number | null,
    out: await out,
    err: await err,
  }));
  return { child, ended };
}

/** All that came, also when we closed the stream ourselves. */
function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    all += chunk;
  });
  return new Promise((resolve) => stream.once("close", () => resolve(all)));
}
