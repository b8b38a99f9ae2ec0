import { setTimeout as sleep } from "node:timers/promises";
import type { PipelineError } from "../error.ts";
import { COMMON, type Command, configOf } from "./command.ts";
import { exitCodeOf, printErrors } from "./errors.ts";
import { progressView } from "./progress.ts";

/** `nightbake follow` */
export const followCommand: Command = {
  name: "follow",
  summary: "Publishes what changes in the database while it changes, until Ctrl-C or SIGTERM.",
  details:
    "It follows the binlog of DATABASE_FEED_URL: a change is published at once, and what comes while pages\n" +
    "are published goes with the next release. A mass update is published in slices, between which an editor's\n" +
    "change goes first. Rows that the clock shows or hides are published when they are due. Each release says how\n" +
    "long after the commit it was live. The first time, and whenever the log no longer holds what followed, every row is compared first. It\n" +
    "may be killed at any point. The server needs binlog_format=ROW, binlog_row_image=FULL and\n" +
    "binlog_row_metadata=FULL. Builds may run beside it, and still should, once a night.",
  positionals: [],
  options: { ...COMMON },
  examples: [
    { line: "follow", says: "one process beside the database; start it again when it ends" },
    { line: "follow --json", says: "events for a program" },
  ],
  async run(args, io) {
    const isVerbose = args.has("verbose");
    const isJson = args.has("json");
    const view = progressView({ ...io, isJson, isVerbose });
    const [{ openFollow }, { follow }] = await Promise.all([
      import("../wiring.ts"),
      import("../follow.ts"),
    ]);
    const onOutage = (error: PipelineError) => view.emit({ event: "warning", error });
    await using opened = await openFollow(configOf(args, io), onOutage);
    try {
      await follow(opened.wired, opened.feed, {
        signal: io.signal,
        emit: view.emit,
        sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
      });
      return 0;
    } catch (error) {
      view.end();
      printErrors(error, io, { isJson, isVerbose });
      return exitCodeOf(error, { hasPublished: view.state().hasPublished });
    }
  },
};
