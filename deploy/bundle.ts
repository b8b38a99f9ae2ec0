import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";
import { digestSources } from "../src/engine.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Packages in CommonJS ask for Node's own modules by `require`, which modules do not have. */
const REQUIRE = `import{createRequire as $$createRequire}from"node:module";const require=$$createRequire(import.meta.url);`;

/** Of what no function does; importing one of them there fails. */
const LEFT_OUT = ["bullmq", "ioredis"];

export interface BundleOptions {
  /** Emptied first. */
  readonly out: string;
  /** The site definition, with `content/` and `templates/` beside it. */
  readonly config?: string;
  /** More modules that share the chunks, by name; for tests and measurements. */
  readonly entries?: Readonly<Record<string, string>>;
}

/**
 * Makes a folder that runs on Lambda with nothing beside it: the functions and the site definition
 * as modules that share chunks, so that each class is there once, the site's files, and the
 * digests of the sources in `engine.json`. Equal sources make equal files.
 */
export async function bundle({
  out,
  config = join(ROOT, "site.config.ts"),
  entries = {},
}: BundleOptions): Promise<Metafile> {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const site = dirname(config);
  const copied = ["content", "templates"].map((each) =>
    cp(join(site, each), join(out, each), { recursive: true, filter: isShown }),
  );
  const engine = digestSources().then((digests) =>
    writeFile(join(out, "engine.json"), `${JSON.stringify(digests)}\n`),
  );
  const [{ metafile }] = await Promise.all([
    modules(out, { ...entries, "site.config": config }),
    engine,
    ...copied,
  ]);
  return metafile;
}

async function modules(out: string, entries: Readonly<Record<string, string>>) {
  return await build({
    absWorkingDir: ROOT,
    entryPoints: { lambda: "src/lambda.ts", ...entries },
    outdir: out,
    outExtension: { ".js": ".mjs" },
    // No folders: `engine.json` is found beside the chunk that asks for it.
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    minify: true,
    metafile: true,
    // The SDK of AWS leaves out what nobody asks for in its modules only.
    mainFields: ["module", "main"],
    alias: { nightbake: join(ROOT, "src/index.ts") },
    external: LEFT_OUT,
    banner: { js: REQUIRE },
    logLevel: "warning",
  });
}

/** Editors and systems leave hidden files about, which the site does not read. */
function isShown(file: string): boolean {
  return !/(^|[/\\])\.[^/\\]*$/.test(file);
}

/** `14 files, 3.1 MB, 0.9 MB compressed` */
async function sizeOf(out: string): Promise<string> {
  const entries = await readdir(out, { recursive: true, withFileTypes: true });
  const files = entries.filter((each) => each.isFile());
  const bodies = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name))),
  );
  const mb = (sizes: readonly number[]) =>
    `${(sizes.reduce((sum, each) => sum + each, 0) / 1e6).toFixed(1)} MB`;
  const packed = bodies.map((each) => gzipSync(each).length);
  return `${files.length} files, ${mb(bodies.map(({ length }) => length))}, ${mb(packed)} compressed`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { out: { type: "string" }, config: { type: "string" } },
  });
  const out = resolve(values.out ?? join(ROOT, ".build/aws"));
  await bundle({ out, ...(values.config !== undefined && { config: resolve(values.config) }) });
  console.log(`${relative(process.cwd(), out)}: ${await sizeOf(out)}`);
}

if (import.meta.main) await main();
