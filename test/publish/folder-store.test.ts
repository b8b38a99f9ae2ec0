import { chmod, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import { folderError } from "../../src/publish/folder-errors.ts";
import { folderStore } from "../../src/publish/folder-store.ts";
import { artifact, sorted } from "./artifact.ts";
import { describeObjectStore } from "./store-contract.ts";

const parent = await mkdtemp(join(tmpdir(), "nightbake-folder-"));
afterAll(() => rm(parent, { recursive: true, force: true }));

const newFolder = () => mkdtemp(join(parent, "store-"));

describeObjectStore("a folder", async () => folderStore(join(await newFolder(), "dist")), {
  keepsHeaders: false,
});

test.each([
  "../out.html",
  "a/../../out.html",
  "/out.html",
  "a//b",
  "a/./b",
  "",
  "a\0b",
  "a\\..\\b",
])("refuses the key %j and reads nothing under it", async (key) => {
  const store = folderStore(join(await newFolder(), "dist"));
  const refused = { code: "store_rejected", at: { key } };

  await expect(store.put(artifact({ key }))).rejects.toMatchObject(refused);
  await expect(store.get(key)).rejects.toMatchObject(refused);
  await expect(store.delete([key])).rejects.toMatchObject(refused);
});

test("does not list what lies beside the folder", async () => {
  const store = folderStore(await newFolder());

  await expect(sorted(store.list("../"))).rejects.toMatchObject({ code: "store_rejected" });
});

test("removes folders that became empty, but not the store's own", async () => {
  const folder = await newFolder();
  const store = folderStore(folder);
  await store.put(artifact({ key: "a/b/c/index.html" }));
  await store.put(artifact({ key: "a/index.html" }));

  await store.delete(["a/b/c/index.html"]);
  expect(await readdir(join(folder, "a"))).toEqual(["index.html"]);
  await store.delete(["a/index.html"]);
  expect(await readdir(folder)).toEqual([]);
});

test("never lists a file that is being written, and removes it once it is stale", async () => {
  const folder = await newFolder();
  const store = folderStore(folder);
  const [fresh, stale] = [".nightbake-put-aa-1", ".nightbake-put-bb-2"].map((name) =>
    join(folder, name),
  );
  await writeFile(fresh ?? "", "half");
  await writeFile(stale ?? "", "half");
  await utimes(stale ?? "", 0, 0);

  expect(await sorted(store.list(""))).toEqual([]);
  expect(await readdir(folder)).toEqual([".nightbake-put-aa-1"]);
});

test("refuses a key that could be taken for a file being written", async () => {
  const store = folderStore(await newFolder());

  await expect(store.put(artifact({ key: "a/.nightbake-put-x" }))).rejects.toMatchObject({
    code: "store_rejected",
  });
});

test("names the key that is a folder or lies below a file, and leaves nothing behind", async () => {
  const folder = await newFolder();
  const store = folderStore(folder);
  await store.put(artifact({ key: "a/b.html" }));

  for (const key of ["a", "a/b.html/c", `${"n".repeat(300)}.html`]) {
    const refused = { code: "store_rejected", at: { key } };
    await expect(store.put(artifact({ key }))).rejects.toMatchObject(refused);
  }
  expect(await readdir(folder, { recursive: true })).toEqual(["a", "a/b.html"]);
});

test("puts and deletes in one folder at once lose nothing", async () => {
  const store = folderStore(await newFolder());
  const work = Array.from({ length: 300 }, async (_, at) => {
    await store.put(artifact({ key: `a/b/${at % 7}/${at}.html` }));
    if (at % 3 > 0) await store.delete([`a/b/${at % 7}/${at}.html`]);
  });
  await Promise.all(work);

  expect(await sorted(store.list(""))).toHaveLength(100);
});

test("the check creates nothing and finds a file in the folder's place", async () => {
  const folder = await newFolder();
  await writeFile(join(folder, "file"), "");

  await folderStore(join(folder, "not/yet/there")).check();
  expect(await readdir(folder)).toEqual(["file"]);
  for (const place of ["file", "file/below"]) {
    const refused = { code: "store_rejected", hint: expect.stringContaining("another folder") };
    await expect(folderStore(join(folder, place)).check()).rejects.toMatchObject(refused);
  }
});

test.skipIf(process.getuid?.() === 0)("names a folder that may not be written to", async () => {
  const folder = await newFolder();
  await chmod(folder, 0o500);

  const refused = { code: "store_rejected", hint: expect.stringContaining("permission") };
  await expect(folderStore(folder).check()).rejects.toMatchObject(refused);
  await expect(folderStore(folder).put(artifact({ key: "a" }))).rejects.toMatchObject(refused);
});

test.each([
  ["EROFS", "store_rejected", "read-only"],
  ["ENOSPC", "store_rejected", "Free some space"],
  ["EACCES", "store_rejected", "permission"],
  ["EIO", "store_unavailable", "network share"],
])("the system's %s is %s, with a hint", (systemCode, code, hint) => {
  const cause = Object.assign(new Error(), { code: systemCode });

  const translate = () => folderError("folder dist", "a/index.html")(cause);
  expect(translate).toThrow(
    expect.objectContaining({ code, hint: expect.stringContaining(hint), cause }),
  );
});

test("a list does not follow links out of the folder", async () => {
  const folder = await newFolder();
  await mkdir(join(folder, "dist"));
  await writeFile(join(folder, "secret.txt"), "");
  await symlink(folder, join(folder, "dist", "link"));

  expect(await sorted(folderStore(join(folder, "dist")).list(""))).toEqual([]);
});

test("removes what dead processes left beside objects, and nothing of its own or elsewhere", async () => {
  const folder = await newFolder();
  const store = folderStore(folder);
  await store.put(artifact({ key: "a/index.html" }));
  for (const name of [
    "a/.nightbake-put-dead-1",
    "a/.nightbake-put-dead-2",
    ".nightbake-put-dead-3",
  ]) {
    await writeFile(join(folder, name), "half of i");
  }

  await store.removeRemains(["a/index.html", "a/other.html", "never/was/index.html"]);

  expect(await readdir(join(folder, "a"))).toEqual(["index.html"]);
  expect((await readdir(folder)).sort()).toEqual([".nightbake-put-dead-3", "a"]);
});

test("a put whose time is over before its file is complete leaves the file that is there", async () => {
  const folder = await newFolder();
  const store = folderStore(folder);
  await store.put(artifact({ key: "a", body: Buffer.from("newer") }));
  const over = new PipelineError("run_conflict", "The claim is over.");
  const until = () => {
    throw over;
  };

  await expect(store.put(artifact({ key: "a" }), { until })).rejects.toBe(over);

  expect(Buffer.from((await store.get("a"))?.body ?? "").toString()).toBe("newer");
  expect(await readdir(folder)).toEqual(["a"]);
});
