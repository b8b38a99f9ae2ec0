import type { Config } from "./config.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { openMysqlLedger } from "./ledger/mysql.ts";
import { openSqliteLedger } from "./ledger/sqlite.ts";
import { loadSite } from "./load-site.ts";
import type { Site } from "./site.ts";

/** What the redirects of a site can be asked and told with, opened. */
export interface OpenedHistory extends AsyncDisposable {
  readonly ledger: Ledger;
  readonly site: Site;
}

/** Opens the ledger that the configuration names, for the site's route history. */
export async function openHistory(config: Config): Promise<OpenedHistory> {
  const site = await loadSite(config.configFile, config.siteUrl);
  const ledger = await openLedger(config);
  return { site, ledger, [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose]() };
}

/**
 * Opens the ledger alone.
 * @throws PipelineError `ledger_rejected`, `ledger_unavailable`
 */
export async function openLedger({ ledgerUrl, ledgerFile }: Config) {
  return await (ledgerUrl === undefined
    ? openSqliteLedger(ledgerFile)
    : openMysqlLedger(ledgerUrl));
}
