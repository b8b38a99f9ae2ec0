import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { runCli } from "../../src/cli/cli.ts";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { idOf, livePage, publish } from "../ledger/fixtures.ts";
import { type FakeIo, fakeIo } from "./fakes.ts";

const SITE = {
  "index.html": "<h1>Home</h1>",
  "404.html": "<h1>Nothing here</h1>",
  "robots.txt": "User-agent: *",
  "x/index.html": "<h1>X</h1>",
  "বাংলা/é/index.html": "<h1>Unicode</h1>",
  "assets/site.0123456789.css": "body{}",
};

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request whose target goes out as written: `fetch` would resolve "..". */
function send(url: string, path: string, headers = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { path, headers, method, agent: false }, async (response) => {
      const body = Buffer.concat(await Array.fromAsync(response)).toString();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
    });
    sent.on("error", reject).end();
  });
}

/** Starts `nightbake preview` on a free port over a folder with these files. */
async function preview(files: Readonly<Record<string, string>> = SITE, io = fakeIo()) {
  for (const [name, content] of Object.entries(files)) {
    const file = join(io.cwd, "dist", name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  writeFileSync(join(io.cwd, "secret.txt"), "SECRET");
  const { promise: url, resolve } = Promise.withResolvers<string>();
  const out = { ...io.out, write: (text: string) => resolve(text.trim()) };
  const ended = runCli(["preview"], { ...io, out });
  onTestFinished(async () => {
    io.abort.abort();
    expect(await ended).toBe(0);
  });
  const base = await url;
  const get = (path: string, headers = {}, method = "GET") => send(base, path, headers, method);
  return { io, base, get };
}

test("prints a URL on this machine and serves the home page", async () => {
  const { base, get } = await preview();

  const home = await get("/");

  expect(base).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  expect(home).toMatchObject({ status: 200, body: SITE["index.html"] });
});

test.each([
  ["/x/", "text/html; charset=utf-8", "public, max-age=0, s-maxage=31536000"],
  ["/robots.txt", "text/plain; charset=utf-8", "public, max-age=0, s-maxage=31536000"],
  ["/assets/site.0123456789.css", "text/css; charset=utf-8", "public, max-age=31536000, immutable"],
])("%s has the headers the store would give it", async (path, type, cache) => {
  const { get } = await preview();

  const { status, headers } = await get(path);

  expect(status).toBe(200);
  expect(headers).toMatchObject({ "content-type": type, "cache-control": cache });
});

test("a page has the headers that its kind declares, once a build has noted its kind", async () => {
  const io = fakeIo();
  const index = JSON.stringify(join(import.meta.dirname, "../../src/index.ts"));
  const definition = `import { defineSite, page } from ${index};
    const x = page({ route: "/x/", template: "x", cache: { maxAge: 60 }, language: "de" });
    export default defineSite({ origin: "https://x.example", title: "X", pages: { x } });`;
  writeFileSync(join(io.cwd, "site.config.ts"), definition);
  {
    await using ledger = await openSqliteLedger(io.config({}).ledgerFile);
    await publish(ledger, livePage({ ...idOf("x"), route: "/x/" }));
  }
  const { get } = await preview(SITE, io);

  const declared = { "cache-control": "public, max-age=60, s-maxage=31536000" };
  expect((await get("/x/")).headers).toMatchObject({ ...declared, "content-language": "de" });
  expect((await get("/")).headers).not.toHaveProperty("content-language");
});

test("names beyond ASCII are found by their exact bytes only", async () => {
  const { get } = await preview();

  const found = await get(`/${encodeURIComponent("বাংলা")}/${encodeURIComponent("é")}/`);
  const otherForm = await get(`/${encodeURIComponent("বাংলা")}/${encodeURIComponent("e\u0301")}/`);

  expect(found).toMatchObject({ status: 200, body: "<h1>Unicode</h1>" });
  expect(otherForm.status).toBe(404);
});

describe("a page that is not there", () => {
  test("gives the site's own 404 page with status 404", async () => {
    const { get } = await preview();

    const answer = await get("/missing/");

    expect(answer).toMatchObject({ status: 404, body: SITE["404.html"] });
    expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(answer.headers["cache-control"]).toBe("public, max-age=0, s-maxage=10");
  });

  test("gives status 404 when the site has no 404 page either", async () => {
    const { get } = await preview({ "index.html": "" });

    expect((await get("/missing/")).status).toBe(404);
  });

  test("is a folder without its slash, as on the CDN; the log has the hint", async () => {
    const { get, io } = await preview();

    expect((await get("/x")).status).toBe(404);
    expect(io.err.text()).toBe('404 GET /x  There is a page with "/" at the end.\n');
  });
});

describe("nothing outside the folder is read", () => {
  test.each([
    "/../secret.txt",
    "/x/../../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/%2e%2e%2fsecret.txt",
    "/..%5csecret.txt",
    "/..\\secret.txt",
    "/x/..%00/secret.txt",
    "//etc/passwd",
    "/%2fetc/passwd",
    "/%c0%ae%c0%ae/secret.txt",
    "/%",
  ])("%s", async (path) => {
    const { get } = await preview();

    expect(await get(path)).toMatchObject({ status: 404, body: SITE["404.html"] });
  });

  test("not through a link to a file or a folder", async () => {
    const { get, io } = await preview();
    symlinkSync(join(io.cwd, "secret.txt"), join(io.cwd, "dist", "leak.txt"));
    symlinkSync(io.cwd, join(io.cwd, "dist", "leak"));

    expect((await get("/leak.txt")).status).toBe(404);
    expect((await get("/leak/secret.txt")).status).toBe(404);
  });
});

test("a copy that is still good is answered with 304 and no body", async () => {
  const { get } = await preview();
  const { headers } = await get("/x/");

  const etag = headers.etag ?? "";
  const again = await get("/x/", { "if-none-match": `"other", W/${etag}` });
  const other = await get("/x/", { "if-none-match": '"other"' });

  expect(again).toMatchObject({ status: 304, body: "", headers: { etag } });
  expect(other).toMatchObject({ status: 200, body: SITE["x/index.html"] });
});

test("HEAD gives the headers of GET without the body", async () => {
  const { get } = await preview();

  const head = await get("/x/", {}, "HEAD");

  expect(head).toMatchObject({ status: 200, body: "", headers: { "content-length": "10" } });
});

test.each(["POST", "PUT", "DELETE", "OPTIONS"])("%s is refused", async (method) => {
  const { get } = await preview();

  const answer = await get("/x/", {}, method);

  expect(answer).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
});

describe("does not start", () => {
  const run = async (io: FakeIo, ...argv: string[]) => [await runCli(argv, io), io.err.text()];

  test("without an output folder", async () => {
    const [code, text] = await run(fakeIo(), "preview");

    expect(code).toBe(2);
    expect(text).toMatch(/^input_invalid: There is nothing to preview.*\n {2}at folder=/);
  });

  test("on a port that is taken", async () => {
    const { base } = await preview();
    const io = fakeIo();
    mkdirSync(join(io.cwd, "dist"));

    const [code, text] = await run(io, "preview", "--port", new URL(base).port);

    expect(code).toBe(2);
    expect(text).toMatch(/^config_invalid: The server cannot listen .*: EADDRINUSE\./);
  });

  test.each(["http", "65536", "-1", "1.5"])("on port %s", async (port) => {
    const io = fakeIo();
    mkdirSync(join(io.cwd, "dist"));

    const [code, text] = await run(io, "preview", `--port=${port}`);

    expect(code).toBe(2);
    expect(text).toMatch(/^config_invalid: The port is no number from 0 to 65535/);
  });
});
