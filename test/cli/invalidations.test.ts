import { join } from "node:path";
import { expect, test } from "vitest";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { temporary } from "./fakes.ts";
import { command, ROOT } from "./nightbake.ts";

test("what the CDN has not completed is listed and explained; an unknown action is told", async () => {
  const cwd = temporary();
  const run = (...argv: string[]) =>
    command(["invalidations", ...argv, "--config", join(ROOT, "site.config.ts")], { cwd });

  const empty = await run();
  {
    await using ledger = await openSqliteLedger(join(cwd, ".nightbake", "ledger.db"));
    await ledger.recall(["/a/"]);
    const waiting = await ledger.waiting();
    const report = JSON.stringify({ objects: 0 });
    await ledger.freeze({ ...waiting, run: "run", madeAt: 1, batches: [["/a/", "/b/"]], report });
    await ledger.recall(["/c/"]);
  }
  const listed = await run("list");
  const json = await run("--json");
  const explained = await run("explain");
  const unknown = await run("retyr");
  const retried = await run("retry");

  expect(empty).toMatchObject({
    code: 0,
    out: "The CDN knows of everything.\nThis month: 0 items, $0.00.\n",
  });
  expect(listed.out).toMatch(/ waiting +\d.* h +2 +up to \$0\.01\n/);
  expect(listed.out).toContain("1 change not planned yet");
  expect(json.out.split("\n").map((line) => line && JSON.parse(line))).toMatchObject([
    { event: "batch", state: "waiting", items: 2, since: "1970-01-01T00:00:00Z" },
    { event: "invalidations", waiting: 1, month: { items: 0, usd: 0 } },
    "",
  ]);
  expect(explained.out).toContain("not completed yet");
  expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining("Did you mean retry?") });
  expect(retried).toMatchObject({ code: 2, err: expect.stringContaining("There is no CDN") });
});
