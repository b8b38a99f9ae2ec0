import { PipelineError } from "./error.ts";
import { openBell } from "./follow/bell.ts";
import { listen } from "./follow/listen.ts";
import type { FollowOptions } from "./follow/options.ts";
import { publishTold } from "./follow/publish-told.ts";
import { untilDone } from "./follow/until-done.ts";
import { inTurn } from "./pipeline/in-turn.ts";
import { build, type Wired } from "./pipeline.ts";
import type { Feed } from "./source/feed.ts";

export type { FollowOptions } from "./follow/options.ts";

/**
 * Publishes what changes in the database while it changes, until the signal says to stop. Goes on
 * where the ledger says that it was; where it cannot (the first time, or when the feed was lost) it
 * reads the feed's position, builds, and goes on from that position.
 * @throws PipelineError of failures that will not pass: the database does not log what is needed, a
 *   guard refuses to delete, a setting is wrong
 */
export async function follow(wired: Wired, feed: Feed, options: FollowOptions): Promise<void> {
  const { signal, emit } = options;
  while (!signal.aborted) {
    try {
      const from =
        (await untilDone(options, wired.ledger.toldUpTo)) ?? (await repair(wired, feed, options));
      emit({ event: "note", message: `The database's log is followed from ${from}.` });
      await together(wired, feed, { ...options, from });
    } catch (error) {
      if (signal.aborted && isCode(error, "interrupted")) return;
      if (!isCode(error, "feed_lost", "position_unknown")) throw error;
      emit({ event: "warning", error });
      await untilDone(options, wired.ledger.forgetTold);
    }
  }
}

/** What is committed after the position is told by the feed, what was before is read by the build. */
async function repair(wired: Wired, feed: Feed, options: FollowOptions): Promise<string> {
  const { signal, emit } = options;
  emit({ event: "note", message: "Every row is compared before the log is followed." });
  const position = await untilDone(options, () => feed.position());
  const asked = { at: [position], isDryRun: false, allowDeletes: false, signal, emit };
  await untilDone(options, () => inTurn(wired, options, () => build(wired, asked)));
  await untilDone(options, () => wired.ledger.tell([], position));
  return position;
}

/** Listens and publishes; when one of them ends, so does the other. */
async function together(
  wired: Wired,
  feed: Feed,
  options: FollowOptions & { readonly from: string },
): Promise<void> {
  const end = new AbortController();
  const bell = openBell();
  const both = { ...options, bell, signal: AbortSignal.any([options.signal, end.signal]) };
  const works = [listen(wired, feed, both), publishTold(wired, both)].map(async (work) => {
    try {
      await work;
    } finally {
      end.abort();
    }
  });
  // Both are over before anything else begins; the first that failed says why.
  await Promise.race(works).catch(() => undefined);
  const ended = await Promise.allSettled(works);
  const errors = ended.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
  const [error] = [...errors.filter((each) => !isCode(each, "interrupted")), ...errors];
  if (error !== undefined) throw error;
}

function isCode(
  error: unknown,
  ...codes: readonly PipelineError["code"][]
): error is PipelineError {
  return error instanceof PipelineError && codes.includes(error.code);
}
