import { setTimeout as sleep } from "node:timers/promises";
import { started } from "../cli/nightbake.ts";
import type { Dice } from "../race/dice.ts";
import { DEMO, endClaim, says } from "./command.ts";

/** How long a process lives at most before it is killed, ms: from its start, or most often since it follows. */
const LIFE_MS = 2_500;

/** Where `nightbake follow` runs, and with which settings. */
export interface Around {
  readonly cwd: string;
  readonly ledgerFile: string;
  /** Each process draws one of the feeds. */
  readonly env: Readonly<Record<string, string>>;
  readonly feedUrls: readonly string[];
}

/**
 * Runs one `nightbake follow` after the other until the signal, each killed at some moment of its life;
 * gives how many there were.
 * @throws Error when one ended by itself
 */
export async function killFollowers(
  around: Around,
  dice: Dice,
  signal: AbortSignal,
): Promise<number> {
  for (let count = 1; ; count += 1) {
    const { child, ended } = startFollower(around, dice);
    if (dice.chance(0.8)) {
      await Promise.race([ended, says(child, "is followed from"), sleep(2 * LIFE_MS)]);
    }
    await Promise.race([ended, sleep(dice.between(0, LIFE_MS))]);
    const isKilled = child.kill("SIGKILL");
    const { code, out, err } = await ended;
    if (!isKilled || code !== null) throw new Error(`It ended with ${code}:\n${out}${err}`);
    endClaim(around.ledgerFile);
    if (signal.aborted) return count;
  }
}

/** Starts one that nobody kills. */
export function startFollower(
  { cwd, env, feedUrls }: Around,
  dice: Dice,
): ReturnType<typeof started> {
  const DATABASE_FEED_URL = dice.pick(feedUrls);
  return started(["follow", "--json", ...DEMO], { cwd, env: { ...env, DATABASE_FEED_URL } });
}
