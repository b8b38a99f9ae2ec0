import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCli } from "../../src/cli/cli.ts";
import { SETTINGS } from "../../src/config.ts";
import { fakeIo } from "./fakes.ts";
import { ROOT } from "./nightbake.ts";

const README = readFileSync(join(ROOT, "README.md"), "utf8");
/** AWS's own are its SDK's to explain, and options stand in the help of commands. */
const NAMES = Object.keys(SETTINGS).filter((name) => !/^(?:AWS_|--)/.test(name));

async function generalHelp(): Promise<string> {
  const io = fakeIo();
  await runCli(["--help"], io);
  return io.out.text();
}

/** The first column of a section of the help. */
function section(help: string, title: string): string {
  const [, body = ""] = help.split(title);
  const [lines = ""] = body.split("\n\n");
  return lines.replaceAll(/^ {2}(\S.*?) {2,}.*$/gm, "$1");
}

function matches(text: string, pattern: RegExp): readonly string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name = ""]) => name))].sort();
}

test("the README lists every command, and none that is not there", async () => {
  const commands = matches(section(await generalHelp(), "Commands:"), /^([a-z]+)/gm);

  expect(matches(README, /^nightbake ([a-z]+)/gm)).toEqual(
    commands.filter((name) => name !== "help"),
  );
});

test("help and README name every setting, and none that is not there", async () => {
  const [, help = ""] = (await generalHelp()).split("Settings, ");
  const rows = matches(README, /^(\| `[A-Z].*)$/gm).join("\n");

  expect(matches(help, /\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)/g)).toEqual(NAMES.toSorted());
  expect(matches(rows, /`([A-Z][A-Z0-9]*_[A-Z0-9_]+)/g)).toEqual(NAMES.toSorted());
});
