import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporary } from "./fakes.ts";
import { command, ROOT } from "./nightbake.ts";

function site() {
  const cwd = temporary();
  const run = (...argv: string[]) =>
    command([...argv, "--config", join(ROOT, "site.config.ts")], { cwd });
  return { cwd, run, dist: (name: string) => join(cwd, "dist", name) };
}

test("says that nothing is wrong, or what is and where", async () => {
  const { run, dist } = site();
  await run("bake");

  const good = await run("verify", "--sample", "all");
  rmSync(dist("robots.txt"));
  appendFileSync(dist("index.html"), "<!-- defaced -->");
  writeFileSync(dist("favicon.ico"), "icon");
  const bad = await run("verify");
  const json = await run("verify", "--json");

  expect(good).toMatchObject({ code: 0, out: expect.stringContaining("Nothing is wrong.\n") });
  expect(bad.code).toBe(1);
  expect(bad.out).toContain("missing     robots.txt (/robots.txt): no object\n");
  expect(bad.out).toMatch(/altered {5}index\.html \(\/\): [\d,]+ bytes, not [\d,]+\n/);
  expect(bad.out).toContain("foreign     favicon.ico: 4 bytes\n");
  expect(bad.out).toContain(
    "Found: 1 missing in the store, 1 altered by another hand, 1 foreign.\n",
  );
  const lines = json.out
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const findings = lines.filter(({ event }) => event === "finding");
  expect(findings.map(({ flaw, object }) => `${flaw} ${object}`).sort()).toEqual([
    "altered index.html",
    "foreign favicon.ico",
    "missing robots.txt",
  ]);
  expect(lines.at(-1)).toMatchObject({ event: "verified", found: { missing: 1, stale: 0 } });
});

test("repairs what it can, says what is left, and then finds nothing else", async () => {
  const { run, dist } = site();
  await run("bake");
  rmSync(dist("robots.txt"));
  appendFileSync(dist("index.html"), "<!-- defaced -->");
  writeFileSync(dist("favicon.ico"), "icon");

  const repaired = await run("verify", "--repair");
  rmSync(dist("favicon.ico"));
  const clean = await run("verify", "--repair");

  expect(repaired).toMatchObject({ code: 1 });
  expect(repaired.out).toContain("2 pages looked at again. All of them are right now.\n");
  expect(clean).toMatchObject({ code: 0, out: expect.stringContaining("Nothing is wrong.\n") });
});

test("fetches where it is told to, and says what readers get otherwise", async () => {
  const { run, dist } = site();
  await run("bake");
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "/");
    if (path === "/") return void response.end("an older page");
    const file = dist(path.endsWith("/") ? `${path}index.html` : path);
    response.writeHead(existsSync(file) ? 200 : 404);
    response.end(existsSync(file) ? readFileSync(file) : "none");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const { code, out } = await run("verify", "--sample", "all", "--url", `${url}/`);

  expect(code).toBe(1);
  expect(out).toContain("stale       index.html (/): 13 bytes, but others than the store's\n");
  expect(out).toContain(` fetched from ${url}.\nFound: 1 served otherwise by the CDN.\n`);
});

test("adopts a store whose ledger was lost, and says what else to bring back", async () => {
  const { run, cwd } = site();
  await run("bake");
  rmSync(join(cwd, ".nightbake", "ledger.db"));

  const price = await run("verify", "--adopt", "--dry-run");
  const adopted = await run("verify", "--adopt");
  const built = await run("build", "--json");
  const again = await run("verify", "--adopt");

  expect(price).toMatchObject({ code: 0 });
  expect(price.out).toMatch(/^[\d,]+ objects to look at: 2 LIST requests and [\d,]+ HEAD, \$0\.0/);
  expect(adopted).toMatchObject({ code: 0, out: expect.stringContaining(price.out) });
  expect(adopted.out).toContain("nightbake redirects import FILE");
  expect(built.code).toBe(0);
  expect(JSON.parse(built.out.trim().split("\n").at(-1) ?? "")).toMatchObject({
    changed: 0,
    deleted: 0,
  });
  expect(again).toMatchObject({ code: 2, err: expect.stringContaining("adopt_refused") });
});

test("options that mean nothing together are refused", async () => {
  const { run } = site();

  const [repair, dry] = await Promise.all([
    run("verify", "--adopt", "--repair"),
    run("verify", "--dry-run"),
  ]);

  expect(repair?.err).toContain("--repair means nothing with --adopt.");
  expect(dry?.err).toContain("--dry-run means nothing without --adopt.");
});

test("a sample that is no number and an address that is none are refused", async () => {
  const { run } = site();
  await run("bake");

  const [sample, url, secret] = await Promise.all([
    run("verify", "--sample", "some"),
    run("verify", "--url", "ftp://x"),
    run("verify", "--url", "https://me:s3cret@x"),
  ]);

  expect([sample?.code, url?.code, secret?.code]).toEqual([2, 2, 2]);
  expect(sample?.err).toContain("--sample some is no number of pages.");
  expect(url?.err).toContain("--url is no address that can be asked.");
  expect(secret?.err).toContain("without user and password");
  expect(`${secret?.out}${secret?.err}`).not.toContain("s3cret");
});
