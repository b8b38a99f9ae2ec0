import { expect, test } from "vitest";
import { runCli } from "../../src/cli/cli.ts";
import { openLedger } from "../../src/wiring-ledger.ts";
import { fakeIo } from "./fakes.ts";

/** One terminal and one ledger for several commands. */
function session() {
  const io = fakeIo();
  const run = async (...argv: readonly string[]) => {
    const before = [io.out.text().length, io.err.text().length] as const;
    const code = await runCli(["tokens", ...argv], io);
    return { code, out: io.out.text().slice(before[0]), err: io.err.text().slice(before[1]) };
  };
  return { io, run };
}

test("a token is shown once, and the ledger does not have it", async () => {
  const { io, run } = session();

  const { code, out, err } = await run("add", "cms", "--scopes", "read,rebuild");

  expect(code).toBe(0);
  expect(out).toMatch(/^nbt_[A-Za-z0-9_-]{43}\n$/);
  expect(err).not.toContain("nbt_");
  await using ledger = await openLedger(io.config({}));
  const text = JSON.stringify(await ledger.tokens());
  expect(text).toContain("cms");
  expect(text).not.toContain(out.trim().slice(4));
  expect((await run("list")).out).not.toContain("nbt_");
});

test("the list says what each is for and what became of it", async () => {
  const { run } = session();
  await run("add", "cms");
  await run("add", "numbers", "--scopes", "metrics");

  expect((await run("revoke", "cms")).code).toBe(0);

  const { out } = await run("list", "--json");
  const [cms, numbers] = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(cms).toMatchObject({
    name: "cms",
    scopes: ["read", "rebuild"],
    revokedAt: expect.stringMatching(/^20/),
  });
  expect(numbers).toMatchObject({ name: "numbers", scopes: ["metrics"] });
  expect(numbers).not.toHaveProperty("revokedAt");
});

test.each([
  ["a name that is taken", ["add", "cms"], "There is, or was, a token of the name cms"],
  ["a name that would not be seen in logs", ["add", "a\u001bb"], "needs a name"],
  ["no name", ["add"], "needs a name"],
  [
    "an unknown scope",
    ["add", "x", "--scopes", "red"],
    'There is no scope "red". Did you mean read?',
  ],
  ["revoking what there is not", ["revoke", "x"], "There is no token of the name x"],
  ["an unknown action", ["ad", "x"], "Did you mean add?"],
])("%s is refused", async (_, argv, message) => {
  const { run } = session();
  await run("add", "cms");

  const { code, err } = await run(...argv);

  expect(code).toBe(2);
  expect(err).toContain(message);
});
