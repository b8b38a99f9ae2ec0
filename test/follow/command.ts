import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ROOT } from "../cli/nightbake.ts";

/** Names the demo site to the command. */
export const DEMO = ["--config", join(ROOT, "site.config.ts")];
export const DEMO_ROWS = join(ROOT, "content", "data");

/** What readers can get of a folder: content by name. */
export function servedFiles(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((each) => each.isFile() && !each.name.startsWith("."))
    .map((each) => join(each.parentPath, each.name))
    .sort();
  return new Map(files.map((file) => [file.slice(folder.length), readFileSync(file, "latin1")]));
}

/** Waits until the process has written a text, or is over. */
export async function says(child: ChildProcess, text: string): Promise<void> {
  let said = "";
  await new Promise<void>((resolve) => {
    child.stdout?.on("data", (chunk: string) => {
      said += chunk;
      if (said.includes(text)) resolve();
    });
    child.once("close", () => resolve());
  });
}

/** As if half a minute had passed: a dead run's claim is over. */
export function endClaim(file: string): void {
  using ledger = new DatabaseSync(file);
  ledger.exec("UPDATE nb_lease SET expires_ms = 0");
}
