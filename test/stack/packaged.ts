import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "../temporary-folder.ts";
import type { Template } from "./template.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const OSLS = join(ROOT, "node_modules/osls/bin/serverless.js");
/** What `serverless.yml` is made of. The bundle has a stand-in: its content does not matter here. */
const PARTS = ["serverless.yml", "package.json", "deploy/stack", "src/edge", "docs/reference/aws"];
/** osls reads what it likes, writes where it should, starts nothing and reaches no network. */
const CONFINED = ["--permission", "--allow-fs-read=*"];

/** What `osls package` says, with nothing in its environment. Parameters as `{ helpers: "20" }`. @throws Error with what it says against it */
export async function packageStack(parameters: Readonly<Record<string, string>> = {}) {
  const folder = temporaryFolder("nightbake-stack-");
  for (const each of PARTS) cpSync(join(ROOT, each), join(folder, each), { recursive: true });
  mkdirSync(join(folder, ".build/aws"), { recursive: true });
  writeFileSync(join(folder, ".build/aws/lambda.mjs"), "");
  writeFileSync(
    join(folder, ".env"),
    "LEDGER_URL=mysql://ledger:secret@ledger.example/nightbake\n",
  );
  const given = Object.entries(parameters).map(([name, value]) => `--param=${name}=${value}`);
  const allowed = [...CONFINED, `--allow-fs-write=${folder}`, "--allow-fs-write=/tmp"];
  const asked = [...allowed, OSLS, "package", "--stage", "prod", ...given];
  const env = { HOME: folder };
  const told = promisify(execFile)(process.execPath, asked, { cwd: folder, env });
  const { stdout, stderr } = await told.catch(({ stdout }: { readonly stdout: string }) => {
    throw new Error(stdout);
  });
  const text = readFileSync(
    join(folder, ".serverless/cloudformation-template-update-stack.json"),
    "utf8",
  );
  const files = namesIn(readFileSync(join(folder, ".serverless/nightbake.zip")));
  return { said: stdout + stderr, template: JSON.parse(text) as Template, text, files };
}

/** Of a ZIP's files, out of its central directory ("APPNOTE.TXT", 4.3.12). */
function namesIn(zip: Buffer): readonly string[] {
  const names: string[] = [];
  for (let at = zip.indexOf("PK\x01\x02"); at >= 0; at = zip.indexOf("PK\x01\x02", at + 46)) {
    names.push(zip.toString("utf8", at + 46, at + 46 + zip.readUInt16LE(at + 28)));
  }
  return names;
}
