import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { noCache } from "./cache/none.ts";
import { openSqliteCache } from "./cache/sqlite-cache.ts";
import type { Config } from "./config.ts";
import {
  bodyFingerprint,
  engineFingerprint,
  engineMaking,
  kindFingerprints,
  kindMakings,
} from "./engine.ts";
import { PipelineError } from "./error.ts";
import { openCloudFront } from "./invalidate/cloudfront.ts";
import { noCdn } from "./invalidate/none.ts";
import { leaving, type Terms } from "./invalidate/terms.ts";
import { httpViewer } from "./invalidate/viewer.ts";
import type { Queue } from "./jobs/queue.ts";
import { loadSite, templateNames } from "./load-site.ts";
import type { Log } from "./pipeline/log.ts";
import type { Shelf, Wired } from "./pipeline.ts";
import { folderStore } from "./publish/folder-store.ts";
import { openS3Store, type S3Config } from "./publish/s3-store.ts";
import { openSlots } from "./publish/slots.ts";
import { loadAssets } from "./render/assets.ts";
import { loadContent } from "./render/content.ts";
import { noTemplates } from "./render/no-templates.ts";
import { loadRedirects } from "./render/redirects.ts";
import { loadTemplates } from "./render/templates.ts";
import {
  type ContentFile,
  type DeclaredRedirect,
  digestOf,
  listsOf,
  redirectKind,
  type Site,
  tablesOf,
} from "./site.ts";
import { openBinlogFeed } from "./source/binlog-feed.ts";
import type { Feed, Followed } from "./source/feed.ts";
import { type LoadCounts, type LoadOptions, load } from "./source/load.ts";
import { openMysqlSource } from "./source/mysql-source.ts";
import { openMysqlTarget } from "./source/mysql-target.ts";
import { noSource } from "./source/no-rows.ts";
import { openSqliteSource } from "./source/sqlite-source.ts";
import { openSqliteTarget } from "./source/sqlite-target.ts";
import { openLedger } from "./wiring-ledger.ts";
import { credentialsOf, openQueue } from "./wiring-queue.ts";

/** AWS's home region, for S3-compatible servers that do not care. */
const DEFAULT_REGION = "us-east-1";

/**
 * Opens every part that the configuration names. Closing the result closes them all.
 * @throws PipelineError of the first part that cannot be opened; what was open is closed
 */
export async function openBuild(config: Config): Promise<Wired> {
  const site = await loadSite(config.configFile, config.siteUrl);
  const assets = await loadAssets(join(config.contentDir, "assets"));
  const [templates, content, redirects, engine, bodyEngine] = await Promise.all([
    loadTemplates({ dir: config.templatesDir, assets, names: templateNames(site) }),
    contentOf(site, config.contentDir),
    redirectsOf(site, config.contentDir),
    engineFingerprint(),
    bodyFingerprint(),
  ]);
  await using parts = new AsyncDisposableStack();
  const source = parts.use(await openSource(config));
  const log = openLog(config, { parts, site });
  const bodies = parts.use(openBodies(config));
  const publishing = await openPublishing(config, { parts, site });
  const open = parts.move();
  const fingerprint = kindFingerprints(site, templates, engine);
  const making = kindMakings(site, templates, await engineMaking(engine));
  const shown = { site, templates, assets, content, redirects, fingerprint, making, bodyEngine };
  const close = () => open.disposeAsync();
  return { ...shown, source, log, bodies, ...publishing, [Symbol.asyncDispose]: close };
}

/**
 * Opens what is needed to look at releases and to bring one back: it works while the database does
 * not, and while no template compiles. No page can be made with it.
 * @throws PipelineError of the first part that cannot be opened
 */
export async function openRestore(config: Config): Promise<Wired> {
  const site = await loadSite(config.configFile, config.siteUrl);
  await using parts = new AsyncDisposableStack();
  const publishing = await openPublishing(config, { parts, site });
  const open = parts.move();
  const close = () => open.disposeAsync();
  return { site, ...NO_MAKING, ...publishing, [Symbol.asyncDispose]: close };
}

const NO_MAKING = {
  source: noSource,
  templates: noTemplates,
  bodies: noCache,
  bodyEngine: new Uint8Array(0),
  assets: [],
  content: new Map(),
  redirects: [],
  fingerprint: () => new Uint8Array(0),
  making: () => ({}),
};

/**
 * Opens what is needed to take pages down: it works while the database does not, and while no
 * template compiles.
 * @throws PipelineError of the first part that cannot be opened
 */
export async function openShelf(config: Config): Promise<Shelf & AsyncDisposable> {
  const site = await loadSite(config.configFile, config.siteUrl);
  await using parts = new AsyncDisposableStack();
  const bodies = parts.use(openBodies(config));
  const publishing = await openPublishing(config, { parts, site });
  const open = parts.move();
  const close = () => open.disposeAsync();
  return { site, bodies, ...publishing, [Symbol.asyncDispose]: close };
}

/** The ledger and all that a page goes to. */
async function openPublishing(
  config: Config,
  { parts, site }: { readonly parts: AsyncDisposableStack; readonly site: Site },
) {
  const ledger = parts.use(await openLedger(config));
  const kept = openKept(config, parts);
  const { cloudfrontDistributionId: distributionId, concurrency, deleteShare } = config;
  const slots = openSlots({ concurrency, sleep });
  const store = openStore(config, { parts, attempts: slots });
  const cdn =
    distributionId === undefined
      ? noCdn
      : parts.use(
          openCloudFront({
            distributionId,
            hasTags: config.cloudfrontTagHeader !== undefined,
            endpoint: config.cloudfrontEndpoint,
            ...credentialsOf(config),
          }),
        );
  const keep = { releases: config.keepReleases, days: config.keepDays };
  const priced = { terms: termsOf(config), probing: probingOf(config, site.origin) };
  return { ledger, kept, keep, store, cdn, ...priced, deleteShare, slots, sleep };
}

/** Opens the bucket or the folder; one who wants to know of every request gives `attempts`. */
export function openStore(
  config: Config,
  { parts, ...more }: Pick<S3Config, "attempts"> & { readonly parts: AsyncDisposableStack },
) {
  const { s3Bucket, out } = config;
  if (s3Bucket === undefined) return folderStore(out);
  return parts.use(openS3Store({ ...bucketOf(config, s3Bucket), ...more }));
}

function bucketOf(config: Config, bucket: string): S3Config {
  const { s3Prefix: prefix, s3Endpoint: endpoint, concurrency } = config;
  const region = config.awsRegion ?? DEFAULT_REGION;
  return { bucket, prefix, endpoint, region, concurrency, ...credentialsOf(config) };
}

function probingOf({ probes: pages, probeUrl }: Config, origin: string) {
  return pages === 0 ? undefined : { viewer: httpViewer(probeUrl ?? origin), pages };
}

function termsOf(config: Config): Terms {
  const { invalidationBudgetUsd: budgetUsd, invalidationReserve: reserved } = config;
  const { invalidationEvictedUsd: evictedUsd, invalidationMaxShare: maxShare } = config;
  return {
    ...leaving(reserved),
    evictedUsd,
    maxShare,
    ...(budgetUsd !== undefined && { budgetUsd }),
  };
}

async function openSource({ databaseUrl: url, sourceFile, ...config }: Config) {
  if (url === undefined) return await openSqliteSource(sourceFile);
  const { databaseReplicaUrls: replicaUrls, replicaWait: waitSeconds, statementLimit } = config;
  const queryMs = statementLimit === 0 ? undefined : statementLimit * 1000;
  return await openMysqlSource({ url, replicaUrls, waitSeconds, queryMs });
}

/** The log of the database, which is connected to when it is asked; the embedded source has none. */
function openLog(
  { databaseUrl, databaseFeedUrl: url = databaseUrl, changeFeed }: Config,
  { parts, site }: { readonly parts: AsyncDisposableStack; readonly site: Site },
): Log | undefined {
  if (databaseUrl === undefined || url === undefined) return undefined;
  const readUrl = readableAt(url, databaseUrl);
  const feed = parts.use(openBinlogFeed({ url, readUrl, followed: followedOf(site) }));
  const places = [databaseUrl, url].map((each) => [new URL(each).host, new URL(each).pathname]);
  return { feed, of: digestOf(places).toString("hex"), replacesScan: changeFeed === "binlog" };
}

/** Rows are read when they are published: of a change only the key counts. */
function followedOf({ kinds }: Site): readonly Followed[] {
  return tablesOf(kinds).map((table) => ({ table, see: [] }));
}

/** What `follow` follows and publishes, opened. */
export interface OpenedFollow extends AsyncDisposable {
  readonly wired: Wired;
  /** The log of the database, of the site's tables. */
  readonly feed: Feed;
}

/**
 * Opens every part of a build, and the log of its database.
 * @throws PipelineError `config_invalid` when the source is the embedded one
 */
export async function openFollow(
  config: Config,
  onOutage: (error: PipelineError) => void,
): Promise<OpenedFollow> {
  const { databaseUrl, databaseFeedUrl: url = databaseUrl } = config;
  if (databaseUrl === undefined || url === undefined) {
    throw new PipelineError("config_invalid", "The embedded source has no log to follow.", {
      hint: "Set DATABASE_URL, or run `nightbake build` after each change.",
    });
  }
  const wired = await openBuild(config);
  const followed = followedOf(wired.site);
  const feed = openBinlogFeed({ url, readUrl: readableAt(url, databaseUrl), followed, onOutage });
  const close = async () => {
    await feed[Symbol.asyncDispose]();
    await wired[Symbol.asyncDispose]();
  };
  return { wired, feed, [Symbol.asyncDispose]: close };
}

/** The server of `url` for the user of `reader`. */
function readableAt(url: string, reader: string): string {
  const { username, password } = new URL(reader);
  return Object.assign(new URL(url), { username, password }).href;
}

/** What `load` writes to, opened. */
export interface OpenedLoad extends AsyncDisposable {
  /** Makes the declared tables equal to the files in `dir`, see `load`. */
  run(dir: string, options: LoadRun): Promise<readonly LoadCounts[]>;
}

type LoadRun = Pick<LoadOptions, "onProgress" | "signal">;

/** Opens the source that the configuration names for writing. */
export async function openLoad(config: Config): Promise<OpenedLoad> {
  const { kinds } = await loadSite(config.configFile, config.siteUrl);
  const { databaseUrl, sourceFile } = config;
  const target = await (databaseUrl === undefined
    ? openSqliteTarget(sourceFile)
    : openMysqlTarget(databaseUrl));
  return {
    run: (dir, options) =>
      load({ dir, tables: tablesOf(kinds), lists: listsOf(kinds), target, ...options }),
    [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
  };
}

/** What a worker works with, opened. */
export interface OpenedWork extends AsyncDisposable {
  readonly wired: Wired;
  readonly queue: Queue;
}

/**
 * Opens every part of a build, and the queue.
 * @throws PipelineError of the first part that cannot be opened
 */
export async function openWork(config: Config): Promise<OpenedWork> {
  await using parts = new AsyncDisposableStack();
  const wired = parts.use(await openBuild(config));
  const queue = parts.use(await openQueue(config, wired.ledger));
  const open = parts.move();
  return { wired, queue, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** Bodies are kept on this machine; another makes them again. */
function openBodies({ bodiesFile, bodiesMb }: Config) {
  return bodiesMb === 0 ? noCache : openSqliteCache(bodiesFile, bodiesMb * 2 ** 20);
}

/** What pages were is kept on this machine; several that publish need a store with versions. */
function openKept({ keptFile, keepMb }: Config, parts: AsyncDisposableStack) {
  return keepMb === 0 ? undefined : parts.use(openSqliteCache(keptFile, keepMb * 2 ** 20));
}

async function contentOf(
  site: Site,
  dir: string,
): Promise<ReadonlyMap<string, readonly ContentFile[]>> {
  const folders = site.kinds.flatMap((kind) => (kind.is === "content" ? [kind.folder] : []));
  const files = folders.map(
    async (folder) => [folder, await loadContent(join(dir, folder))] as const,
  );
  return new Map(await Promise.all(files));
}

/** @throws PipelineError `config_invalid` when redirects are declared that nothing would make */
async function redirectsOf(site: Site, dir: string): Promise<readonly DeclaredRedirect[]> {
  const declared = await loadRedirects(dir);
  if (declared.length === 0 || redirectKind(site.kinds) !== undefined) return declared;
  const message = "content/redirects.txt declares redirects, but the site has no pages for them.";
  throw new PipelineError("config_invalid", message, {
    hint: 'Add redirect: redirects({ template: "redirect" }) to the pages of the site definition.',
  });
}
