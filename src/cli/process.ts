import { processParametersPath, readProcessConfig } from "../config.ts";
import { runCli } from "./cli.ts";
import type { Io } from "./command.ts";
import { stopper } from "./stopper.ts";
import { terminal } from "./terminal.ts";

// The only file that reads the process' arguments, listens to signals and ends the process.
const out = terminal(process.stdout);
const err = terminal(process.stderr);
const abort = new AbortController();
const now = () => performance.now();

const stop = stopper({
  now,
  abort: (reason) => abort.abort(reason),
  exit: (code) => process.exit(code),
  say: (text) => err.write(text),
});
process.on("SIGINT", stop);
process.on("SIGTERM", stop);

/** Reads the settings; what SSM has of them is asked for once, by processes that are told to. */
async function configReader(): Promise<Io["config"]> {
  try {
    const path = processParametersPath();
    if (path === undefined) return (options) => readProcessConfig(options);
    const { readParameters } = await import("../lambda/parameters.ts");
    const parameters = await readParameters(path);
    return (options) => readProcessConfig(options, parameters);
  } catch (error) {
    // Commands that need no settings do not care.
    return () => {
      throw error;
    };
  }
}

const io = { out, err, signal: abort.signal, now, config: await configReader() };
const code = await runCli(process.argv.slice(2), io);
// Open connections must not keep a finished command alive.
process.exit(code);
