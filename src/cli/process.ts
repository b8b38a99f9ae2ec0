import { readProcessConfig } from "../config.ts";
import { runCli } from "./cli.ts";
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

const io = { out, err, signal: abort.signal, now, config: readProcessConfig };
const code = await runCli(process.argv.slice(2), io);
// Open connections must not keep a finished command alive.
process.exit(code);
