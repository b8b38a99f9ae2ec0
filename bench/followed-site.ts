import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MariaDb } from "../test/services/mariadb.ts";
import { LARGE_ROWS, synthetic } from "./data-sets.ts";
import { startKeptMariaDb } from "./kept-mariadb.ts";
import { loadData } from "./load-data.ts";
import { type Measured, measured } from "./measured.ts";

const CONFIG = fileURLToPath(new URL("../site.config.ts", import.meta.url));
/** Of a server that nobody follows. */
const NO_BINLOG = ["--skip-log-bin", "--skip-log-slave-updates"];

/** The demo site over so many synthetic articles of some 4 KB; four times as many activities. */
export interface FollowedSite {
  readonly articles: number;
  /** Of its database, for root. */
  readonly url: string;
  /** Settings and folder of `nightbake`. */
  readonly at: {
    readonly env: Readonly<Record<string, string>> & { readonly OUT_DIR: string };
    readonly cwd: string;
  };
  readonly ledgerFile: string;
}

/** The arguments that name the site. */
export const SITE_ARGS = ["--config", CONFIG, "--json"];

/** Loads what is not in `dir` yet, quickly: without a binlog. */
export async function loadSizes(dir: string, sizes: readonly number[]): Promise<void> {
  const missing = sizes.filter((articles) => !existsSync(markOf(dir, articles, "loaded")));
  if (missing.length === 0) return;
  await using server = await startKeptMariaDb(dir, NO_BINLOG);
  for (const articles of missing) {
    const name = nameOf(articles);
    await server.query(`DROP DATABASE IF EXISTS ${name}`);
    await loadData(CONFIG, await server.createDatabase(name), synthetic(articles, LARGE_ROWS));
    mark(dir, articles, "loaded");
  }
}

/** Where a site is whose rows are on the server. */
export function siteIn(dir: string, server: MariaDb, articles: number): FollowedSite {
  const cwd = join(dir, nameOf(articles));
  mkdirSync(cwd, { recursive: true });
  const url = `${server.url}/${nameOf(articles)}`;
  const home = join(cwd, "home");
  const env = { NIGHTBAKE_HOME: home, OUT_DIR: join(cwd, "out"), DATABASE_URL: url };
  return { articles, url, at: { env, cwd }, ledgerFile: join(home, "ledger.db") };
}

/** The first build, in a process of its own; undefined when it was done before. */
export async function firstBuild(
  dir: string,
  { articles, at }: FollowedSite,
): Promise<Measured | undefined> {
  if (existsSync(markOf(dir, articles, "built"))) return undefined;
  const cost = await measured(["build", ...SITE_ARGS], at);
  mark(dir, articles, "built");
  return cost;
}

function nameOf(articles: number): string {
  return `site_${articles}`;
}

function mark(dir: string, articles: number, what: string): void {
  writeFileSync(markOf(dir, articles, what), "");
}

function markOf(dir: string, articles: number, what: string): string {
  return join(dir, `${nameOf(articles)}.${what}`);
}
