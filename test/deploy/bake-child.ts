/**
 * Builds the site of a definition from the embedded source: `bake-child FILE`, with the settings of `nightbake` in its
 * environment. Tells the fingerprint of its code, and what the build did.
 */
import { readProcessConfig } from "../../src/config.ts";
import { PipelineError } from "../../src/error.ts";
import { codeOf } from "../../src/jobs/code.ts";
import { build } from "../../src/pipeline.ts";
import { openBuild } from "../../src/wiring.ts";

try {
  await using wired = await openBuild(readProcessConfig({ config: process.argv[2] }));
  const options = { allowDeletes: false, isDryRun: false, signal: new AbortController().signal };
  const { changed, failed } = await build(wired, { ...options, emit: () => {} });
  process.stdout.write(JSON.stringify({ code: codeOf(wired), changed, failed }));
} catch (error) {
  // As whoever imports the class from "nightbake" would see it.
  const isOurs = error instanceof PipelineError;
  process.stdout.write(JSON.stringify({ error: isOurs ? error.code : String(error) }));
}
