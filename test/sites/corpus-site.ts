import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Config, readConfig } from "../../src/config.ts";
import type { RunEvent, Summary } from "../../src/events.ts";
import { build } from "../../src/pipeline.ts";
import { filesBelow } from "../../src/render/assets.ts";
import { openBuild, openLoad } from "../../src/wiring.ts";
import { corpus } from "../corpus.ts";
import { temporaryFolder } from "../services/daemon.ts";

const CORPUS = fileURLToPath(new URL("../../../shared/corpus", import.meta.url));
const SITE = fileURLToPath(new URL("../../site.config.ts", import.meta.url));

/** After every instant of the corpus, µs. */
export const NOW = Date.UTC(2026, 10, 1) * 1000;

/** What the checks need of a corpus row. */
export interface ArticleRow {
  readonly id: number;
  readonly slug: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly published_at: string;
  readonly updated_at: string;
  readonly status: string;
}

/** The whole corpus, built from the embedded source into a folder that goes when disposed. */
export interface CorpusSite extends AsyncDisposable {
  readonly summary: Summary;
  readonly failed: readonly Extract<RunEvent, { event: "failed" }>[];
  /** Files of the output, sorted, without the store's own. */
  readonly keys: readonly string[];
  readonly articles: readonly ArticleRow[];
  /** Activities by `actor_handle`. */
  readonly activities: ReadonlyMap<string, number>;
  read(key: string): Promise<string>;
}

/** Loads the corpus and builds the demo site from it. */
export async function buildCorpus(): Promise<CorpusSite> {
  const dir = temporaryFolder("corpus");
  // In an empty folder, so that no .env of the developer's names another database.
  const config = readConfig({
    env: { NIGHTBAKE_HOME: join(dir, "home"), OUT_DIR: join(dir, "out") },
    cwd: dir,
    options: { config: SITE },
  });
  const { summary, failed } = await built(config);
  const articles = await Array.fromAsync(corpus<ArticleRow>("articles"), trimmed);
  const actors = corpus<{ readonly actor_handle: string }>("activities");
  const activities = new Map<string, number>();
  for await (const { actor_handle: actor } of actors) {
    activities.set(actor, (activities.get(actor) ?? 0) + 1);
  }
  return {
    summary,
    failed,
    keys: (await filesBelow(config.out)).filter((key) => !key.startsWith(".")).toSorted(),
    articles,
    activities,
    read: (key) => readFile(join(config.out, key), "utf8"),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  };
}

async function built(config: Config): Promise<Pick<CorpusSite, "summary" | "failed">> {
  await using load = await openLoad(config);
  await load.run(CORPUS, {});
  await using wired = await openBuild(config);
  const failed: CorpusSite["failed"][number][] = [];
  const summary = await build(wired, {
    allowDeletes: false,
    isDryRun: false,
    signal: new AbortController().signal,
    emit: (event) => void (event.event === "failed" && failed.push(event)),
    now: () => NOW,
  });
  return { summary, failed };
}

/** Bodies are large, and no check reads them. */
function trimmed(row: ArticleRow): ArticleRow {
  const { id, slug, title, tags, published_at, updated_at, status } = row;
  return { id, slug, title, tags, published_at, updated_at, status };
}
