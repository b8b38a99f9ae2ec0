import { readConfig } from "../src/config.ts";
import { type BuildOptions, build } from "../src/pipeline.ts";
import { openBuild } from "../src/wiring.ts";
import { editTitle, type ScaleSite } from "./scale-edits.ts";

const WARM_UP = 5;
const OPTIONS: BuildOptions = {
  allowDeletes: false,
  isDryRun: false,
  signal: new AbortController().signal,
  emit() {},
};

/** Edits one article's title again and again and rebuilds it in this process; times in ms. */
export async function rebuildTimes(from: {
  readonly config: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly site: ScaleSite;
  readonly edits: number;
}): Promise<{ readonly ms: readonly number[]; readonly text: string }> {
  const { config, env, cwd, site, edits } = from;
  await using wired = await openBuild(readConfig({ env, cwd, options: { config } }));
  const ms: number[] = [];
  const counts = new Set<string>();
  for (let n = 0; n < WARM_UP + edits; n += 1) {
    await editTitle(site.editor, site.article, `Title ${n}`);
    const startedMs = performance.now();
    const options = { ...OPTIONS, targets: [`article:${site.article}`] };
    const { rendered, changed } = await build(wired, options);
    if (n < WARM_UP) continue;
    ms.push(performance.now() - startedMs);
    counts.add(`${rendered} rendered, ${changed} put`);
  }
  const sorted = ms.toSorted((a, b) => a - b);
  const [least = 0, most = 0] = [sorted[0], sorted.at(-1)];
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const spread = `${least.toFixed(1)}-${most.toFixed(1)}`;
  return { ms, text: `${median.toFixed(1)} ms (${spread}); ${[...counts].join(" or ")}` };
}
