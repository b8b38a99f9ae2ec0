import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadAssets } from "../../src/render/assets.ts";
import { objectHeaders } from "../../src/render/headers.ts";
import { digest } from "../../src/site.ts";

async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "nightbake-assets-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  await mkdir(join(dir, "img"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  return dir;
}

test("assets are read in order, with a key that holds their hash", async () => {
  const dir = await folder({ "b.min.css": "b", "img/a.png": "a", LICENCE: "c", ".hidden": "d" });

  const assets = await loadAssets(dir);

  const hash = digest("b").toString("hex").slice(0, 10);
  expect(assets.map(({ name }) => name)).toEqual(["LICENCE", "b.min.css", "img/a.png"]);
  expect(assets[1]).toEqual({
    name: "b.min.css",
    key: `assets/b.min.${hash}.css`,
    body: Buffer.from("b"),
    hash: digest("b"),
  });
  for (const { key } of assets) expect(objectHeaders(key).cacheControl).toContain("immutable");
});

test("a site without assets has none", async () => {
  expect(await loadAssets(join(tmpdir(), "nightbake-no-such-folder"))).toEqual([]);
});

test("what is no folder is reported", async () => {
  const dir = await folder({ file: "" });

  await expect(loadAssets(join(dir, "file"))).rejects.toMatchObject({ code: "input_invalid" });
});
