import { existsSync } from "node:fs";
import type { Config } from "../config.ts";
import { PipelineError } from "../error.ts";
import { routeOfKey } from "../site.ts";
import type { Previewed } from "./preview-server.ts";

/** Says which kind the page under a key is of, as long as it is open. */
export type Kinds = AsyncDisposable & Pick<Previewed, "kindOf">;

/** Opens site definition and ledger to tell kinds; where one is missing, no kind is known. */
export async function openKinds(config: Config): Promise<Kinds> {
  const isBuilt = config.ledgerUrl !== undefined || existsSync(config.ledgerFile);
  if (!isBuilt || !existsSync(config.configFile)) return UNKNOWN;
  const { openHistory } = await import("../wiring-ledger.ts");
  const opened = await openHistory(config).catch(unknown);
  if (opened === undefined) return UNKNOWN;
  const { site, ledger } = opened;
  return {
    async kindOf(key) {
      const route = routeOfKey(key);
      const live = await ledger.liveAt([route]).catch(unknown);
      const kind = live?.get(route)?.kind;
      return site.kinds.find(({ name }) => name === kind);
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

const UNKNOWN: Kinds = { kindOf: async () => undefined, async [Symbol.asyncDispose]() {} };

/** A preview goes on without: what cannot be opened or asked fails the build, which says why. */
function unknown(error: unknown): undefined {
  if (!(error instanceof PipelineError)) throw error;
}
