import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { openSqliteLedger } from "../../src/ledger/sqlite.ts";
import { describeLedger } from "./ledger-contract.ts";
import { testAgainstModel } from "./ledger-property.ts";

const folder = mkdtempSync(join(tmpdir(), "nightbake-ledger-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

function newFile(): string {
  files += 1;
  return join(folder, `${files}`, "ledger.db");
}

describeLedger("SQLite", async () => {
  const file = newFile();
  return { open: () => openSqliteLedger(file) };
});

testAgainstModel(() => openSqliteLedger(":memory:"), 300);
