import { existsSync } from "node:fs";
import type { Config } from "./config.ts";
import type { Patient, Server } from "./doctor.ts";
import { openDistribution } from "./invalidate/cloudfront-distribution.ts";
import { loadSite } from "./load-site.ts";
import { mysqlAddress } from "./mysql-address.ts";
import { mysqlPool } from "./source/mysql-connection.ts";
import { openSqliteSource } from "./source/sqlite-source.ts";
import { openStore } from "./wiring.ts";
import { credentialsOf } from "./wiring-queue.ts";

/** A frozen server is told as one that does not answer. */
const QUERY_MS = 30_000;

/**
 * Opens everything that can be looked at, whether it answers or not.
 * @throws PipelineError `config_invalid` when the site definition does not load
 */
export async function openPatient(
  config: Config,
  { isFollowing }: Pick<Patient, "isFollowing">,
): Promise<Patient & AsyncDisposable> {
  const site = await loadSite(config.configFile, config.siteUrl);
  await using parts = new AsyncDisposableStack();
  const servers = serversOf(config).map(([role, url]): Server => {
    const { host, port, database } = mysqlAddress(url);
    const pool = parts.use(
      mysqlPool(role === "feed" ? anyDatabase(url) : url, { queryMs: QUERY_MS }),
    );
    return { role, address: `${host}:${port}/${database}`, pool };
  });
  const embedded = await openEmbedded(config, parts);
  const store = openStore(config, { parts });
  const { cloudfrontDistributionId: distributionId, cloudfrontEndpoint: endpoint } = config;
  const distribution =
    distributionId === undefined
      ? undefined
      : parts.use(openDistribution({ distributionId, endpoint, ...credentialsOf(config) }));
  const { cloudfrontTagHeader: tagHeader, s3Prefix: prefix } = config;
  const open = parts.move();
  const close = () => open.disposeAsync();
  const asked = { site, now: Date.now() * 1000, isFollowing, tagHeader, prefix };
  return { ...asked, servers, embedded, store, distribution, [Symbol.asyncDispose]: close };
}

function serversOf(config: Config): readonly (readonly [Server["role"], string])[] {
  const { databaseUrl, databaseReplicaUrls, databaseFeedUrl, ledgerUrl } = config;
  return [
    ...(databaseUrl === undefined ? [] : [["primary", databaseUrl] as const]),
    ...databaseReplicaUrls.map((url) => ["replica", url] as const),
    ...(databaseFeedUrl === undefined ? [] : [["feed", databaseFeedUrl] as const]),
    ...(ledgerUrl === undefined ? [] : [["ledger", ledgerUrl] as const]),
  ];
}

/** Who only follows may use no database of rows; this one everybody may. */
function anyDatabase(url: string): string {
  return Object.assign(new URL(url), { pathname: "/information_schema" }).href;
}

async function openEmbedded(
  { databaseUrl, sourceFile }: Config,
  parts: AsyncDisposableStack,
): Promise<Patient["embedded"]> {
  if (databaseUrl !== undefined) return undefined;
  if (!existsSync(sourceFile)) return "There are no rows yet: the embedded source is empty.";
  return parts.use(await openSqliteSource(sourceFile));
}
