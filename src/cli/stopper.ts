import { PipelineError } from "../error.ts";

/** Exit code after SIGINT by a shell's custom: 128 + 2. */
const KILLED = 130;

/**
 * Milliseconds in which a second signal is the first one again: on Ctrl-C the terminal signals
 * npm and us, and npm passes its own on.
 */
const ECHO_MS = 500;

/** What to do on SIGINT and SIGTERM: the first stops the run cleanly, the second at once. */
export function stopper(process: {
  now(): number;
  abort(reason: PipelineError): void;
  exit(code: number): void;
  say(text: string): void;
}): () => void {
  let firstAt: number | undefined;
  return () => {
    if (firstAt === undefined) {
      firstAt = process.now();
      process.say("\nStopping after the work in hand; Ctrl-C again stops at once.\n");
      process.abort(new PipelineError("interrupted", "The run was stopped."));
    } else if (process.now() - firstAt >= ECHO_MS) {
      process.exit(KILLED);
    }
  };
}
