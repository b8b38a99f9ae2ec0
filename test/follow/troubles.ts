import { setTimeout as sleep } from "node:timers/promises";
import type { Dice } from "../race/dice.ts";
import type { MariaDb, MariaDbServer } from "../services/mariadb.ts";

/** How often each trouble came. */
export type Troubles = Record<string, number>;

/** Between two troubles of servers, ms. */
const CALM_MS = [50, 800] as const;

/**
 * Lets servers die, freeze and fall behind, one at a time, until the signal; each is well again
 * before the next begins, and in the end.
 */
export async function troubleServers(
  primary: MariaDb,
  dice: Dice,
  signal: AbortSignal,
): Promise<Troubles> {
  const [replica] = primary.replicas as readonly [MariaDbServer];
  const stop = (thread: string, most: number) => async () => {
    await replica.query(`STOP SLAVE ${thread}`);
    await sleep(dice.between(100, most));
    await replica.query(`START SLAVE ${thread}`);
  };
  const kill = (server: MariaDbServer) => async () => {
    await server.kill();
    await sleep(dice.between(0, 500));
    await server.start();
  };
  const freeze = (server: MariaDbServer) => async () => {
    await server.freeze();
    await sleep(dice.between(50, 1_000));
    server.thaw();
  };
  const all: readonly (readonly [name: string, times: number, trouble: () => Promise<void>])[] = [
    ["replica killed", 1, kill(replica)],
    ["primary killed", 1, kill(primary)],
    ["SQL thread stopped", 3, stop("SQL_THREAD", 1_500)],
    ["IO thread stopped", 1, stop("IO_THREAD", 1_000)],
    ["replica frozen", 1, freeze(replica)],
  ];
  const drawn = all.flatMap((each) => Array.from({ length: each[1] }, () => each));
  const came: Troubles = {};
  while (!signal.aborted) {
    await sleep(dice.between(...CALM_MS));
    const [name, , trouble] = dice.pick(drawn);
    await trouble();
    came[name] = (came[name] ?? 0) + 1;
  }
  return came;
}
