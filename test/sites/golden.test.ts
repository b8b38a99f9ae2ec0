import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { build } from "../../src/pipeline.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import { filesBelow } from "../../src/render/assets.ts";
import type { Artifact } from "../../src/site.ts";
import { openBuild, openLoad } from "../../src/wiring.ts";
import { temporaryFolder } from "../services/daemon.ts";

const SITE = fileURLToPath(new URL("./golden/site/site.config.ts", import.meta.url));
const ROWS = fileURLToPath(new URL("golden/site/rows/", import.meta.url));
/** The files as readers get them, and the headers they get them with. */
const EXPECTED = fileURLToPath(new URL("golden/expected/", import.meta.url));
const HEADERS = fileURLToPath(new URL("golden/headers.json", import.meta.url));
const NOW = Date.UTC(2025, 5, 1) * 1000;

const dir = temporaryFolder("golden");
afterAll(() => rm(dir, { recursive: true }));

/** After a change that is meant: `UPDATE_GOLDEN=1 npx vitest run test/sites/golden.test.ts`, then read the diff. */
test("the golden site is what it was, byte for byte and header for header", async () => {
  const { files, headers } = await bakeGolden();
  if (process.env["UPDATE_GOLDEN"] === "1") await renew(files, headers);

  const expected = (await filesBelow(EXPECTED)).toSorted();
  const bytes = expected.map(async (key) => [key, await readFile(join(EXPECTED, key))] as const);

  expect(Object.keys(files).sort()).toEqual(expected);
  expect(headers).toBe(await readFile(HEADERS, "utf8"));
  for (const [key, body] of await Promise.all(bytes)) {
    // As text first, for a difference that can be read.
    expect(files[key]?.toString("utf8"), key).toBe(body.toString("utf8"));
    expect(files[key], key).toEqual(body);
  }
});

interface Golden {
  readonly files: Readonly<Record<string, Buffer>>;
  /** As JSON, a line for each key. */
  readonly headers: string;
}

async function bakeGolden(): Promise<Golden> {
  const config = readConfig({
    env: { NIGHTBAKE_HOME: dir },
    cwd: dir,
    options: { config: SITE },
  });
  await using load = await openLoad(config);
  await load.run(ROWS, {});
  await using wired = await openBuild(config);
  const objects = new Map<string, Artifact>();
  const { signal } = new AbortController();
  const emit = () => {};
  const parts = { ...wired, store: memoryStore(objects) };
  await build(parts, { allowDeletes: false, isDryRun: false, signal, emit, now: () => NOW });
  const served = [...objects].filter(([key]) => !key.startsWith(".")).sort();
  const lines = served.map(([key, { contentType, cacheControl, metadata }]) =>
    [key, { contentType, cacheControl, metadata }].map((part) => JSON.stringify(part)).join(": "),
  );
  return {
    files: Object.fromEntries(served.map(([key, { body }]) => [key, Buffer.from(body)])),
    headers: `{\n${lines.join(",\n")}\n}\n`,
  };
}

async function renew(files: Golden["files"], headers: string): Promise<void> {
  await rm(EXPECTED, { recursive: true, force: true });
  for (const [key, body] of Object.entries(files)) {
    await mkdir(dirname(join(EXPECTED, key)), { recursive: true });
    await writeFile(join(EXPECTED, key), body);
  }
  await writeFile(HEADERS, headers);
}
