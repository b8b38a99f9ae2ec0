import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PipelineError } from "../../src/error.ts";
import { loadRedirects } from "../../src/render/redirects.ts";
import { temporaryFolder } from "../temporary-folder.ts";

function folder(text: string): string {
  const dir = temporaryFolder("nightbake-redirects-");
  writeFileSync(join(dir, "redirects.txt"), text);
  return dir;
}

test("a folder without the file declares nothing", async () => {
  expect(await loadRedirects(temporaryFolder("nightbake-redirects-"))).toEqual([]);
});

test("lines come sorted by the bytes of their routes, each with its number", async () => {
  const lines = [
    "# old",
    "",
    "/z/\t/new/",
    "/a.html  https://else.example/x#y # by hand\r",
    "/Z/ /",
  ];

  const found = await loadRedirects(folder(lines.join("\n")));

  const at = (line: number) => ({ file: "redirects.txt", line: String(line) });
  expect(found).toEqual([
    { from: "/Z/", to: "/", at: at(5) },
    { from: "/a.html", to: "https://else.example/x#y", at: at(4) },
    { from: "/z/", to: "/new/", at: at(3) },
  ]);
});

test("routes may be written as a browser shows them", async () => {
  const [one, two] = await loadRedirects(folder("/a%20b/ /100%25/\n/caf%C3%A9/ /ü/"));

  expect([one?.from, one?.to, two?.from, two?.to]).toEqual(["/a b/", "/100%/", "/café/", "/ü/"]);
});

test("every line that says nothing is told by its number", async () => {
  const lines = [
    "/good/ /new/",
    "/one/",
    "/one/ /two/ /three/",
    "old/ /new/",
    "/old /new/",
    "/old.css /new/",
    "/a//b/ /new/",
    "/../up/ /new/",
    "/%ff/ /new/",
    "/old/ new/",
    "/old/ http://else.example/",
    "/old/ javascript:alert(1)",
    "/old/ https://",
    "/good/ /other/",
    `/${"x".repeat(300)}/ /new/`,
  ];
  const dir = folder(lines.join("\n"));

  const error = await loadRedirects(dir).catch((caught: unknown) => caught);

  expect(error).toBeInstanceOf(PipelineError);
  const { code, problems } = error as PipelineError;
  expect(code).toBe("input_invalid");
  expect(problems.map(({ place }) => place)).toEqual(
    lines.slice(1).map((_, at) => `${join(dir, "redirects.txt")}:${at + 2}`),
  );
});
