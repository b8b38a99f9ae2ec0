import type { RolledBack } from "../pipeline.ts";
import { COMMON, type Command, type ExitCode, type Io } from "./command.ts";
import { exitCodeOf, printErrors } from "./errors.ts";
import { count } from "./format.ts";
import { lookBack, releaseOf } from "./look-back.ts";
import { progressView } from "./progress.ts";
import { leftover } from "./run-state.ts";
import { plain } from "./terminal.ts";

/** `nightbake rollback RELEASE` */
export const rollbackCommand: Command = {
  name: "rollback",
  summary: "Makes the site what it was when a release was done, and holds publishing.",
  details:
    "Every page gets its bytes and headers of then, pages made since are deleted, in the phases of a build. It is\n" +
    "refused before anything changes when a page cannot be had again. Until `nightbake resume`, builds and rebuilds\n" +
    "are refused; takedowns are not. Neither the database nor the templates are needed. When it was stopped, run it\n" +
    "again: it goes on.",
  positionals: ["RELEASE"],
  options: {
    "dry-run": { says: "Says what would be done and whether it can be; changes nothing." },
    ...COMMON,
  },
  examples: [
    { line: "rollback 41 --dry-run", says: "whether all pages of release 41 are still there" },
    { line: "rollback 41", says: "the site as it was after release 41" },
  ],
  run(args, io) {
    const release = releaseOf(args.positionals[0]);
    const [isJson, isVerbose] = [args.has("json"), args.has("verbose")];
    const view = progressView({ ...io, isJson, isVerbose });
    const isDryRun = args.has("dry-run");
    return lookBack(args, io, async (wired) => {
      const { rollback } = await import("../pipeline.ts");
      const { signal } = io;
      const { emit } = view;
      const done = await rollback(wired, release, { isDryRun, signal, emit });
      tell(done, io, { isDryRun, isJson });
      return 0;
    }).catch((error: unknown) => {
      view.end();
      return failed(error, io, { view, isDryRun, isJson, isVerbose });
    });
  },
};

function tell(
  { rollback, creates, updates, deletes, barred, dangling, ...rest }: RolledBack,
  io: Io,
  { isDryRun, isJson }: { readonly isDryRun: boolean; readonly isJson: boolean },
): void {
  const plan = { rollback, creates, updates, deletes, barred, dangling };
  const puts = `bring back ${count(creates)}, put ${count(updates)} as they were, delete ${count(deletes)} pages`;
  const text = isDryRun
    ? `Would ${puts}; all of release ${rollback} is there. Nothing was changed.`
    : `The site is that of release ${rollback}; publishing is held until \`nightbake resume\`.`;
  const away = barred.map((route) => `${plain(route)} is taken down and stays away.\n`);
  const links = dangling.map((route) => `${plain(route)} links to a page that is taken down.\n`);
  if (!isJson)
    io.out.write(`${[...away, ...links, text].join("")}
`);
  else if (isDryRun) io.out.write(`${JSON.stringify({ event: "rollback", isDryRun, ...plan })}\n`);
  else io.out.write(`${JSON.stringify({ event: "rollback", release: rest.release, ...plan })}\n`);
}

function failed(
  error: unknown,
  io: Io,
  {
    view,
    isDryRun,
    isJson,
    isVerbose,
  }: {
    readonly view: ReturnType<typeof progressView>;
    readonly isDryRun: boolean;
    readonly isJson: boolean;
    readonly isVerbose: boolean;
  },
): ExitCode {
  printErrors(error, io, { isJson, isVerbose });
  const code = exitCodeOf(error, { hasPublished: view.state().hasPublished && !isDryRun });
  if (code !== 3) return code;
  const message = `${leftover(view.state())} Run it again to complete it.`;
  if (isJson) io.out.write(`${JSON.stringify({ event: "stopped", message })}\n`);
  else io.err.write(`${message}\n`);
  return code;
}
