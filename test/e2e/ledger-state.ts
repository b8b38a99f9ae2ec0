import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import type { Config } from "../../src/config.ts";
import { mariaDbAt } from "../services/mariadb.ts";

/** What can be told of a ledger from outside. */
export interface LedgerState {
  /** Equal for equal content. */
  readonly content: string;
  /** When anything was last written, ms; a write that was undone counts. MariaDB keeps seconds. */
  readonly writtenAt: number;
}

/** Looks at the ledger that the configuration names; nobody may have it open. */
export async function ledgerState({ ledgerUrl, ledgerFile }: Config): Promise<LedgerState> {
  return ledgerUrl === undefined ? await ofFile(ledgerFile) : await ofDatabase(ledgerUrl);
}

async function ofFile(file: string): Promise<LedgerState> {
  const writtenAt = (await stat(file)).mtimeMs;
  using database = new DatabaseSync(file, { readOnly: true });
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const hash = createHash("sha256");
  for (const { name } of tables) {
    for (const row of database.prepare(`SELECT * FROM "${name}"`).iterate()) {
      hash.update(JSON.stringify(row));
    }
  }
  return { content: hash.digest("hex"), writtenAt };
}

async function ofDatabase(url: string): Promise<LedgerState> {
  const { query } = mariaDbAt(url);
  const tables = await query<{ name: string; written_at: number | null }>(
    `SELECT table_name AS name, UNIX_TIMESTAMP(update_time) AS written_at
       FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name`,
  );
  const names = tables.map(({ name }) => `\`${name}\``).join(", ");
  const content = JSON.stringify(await query(`CHECKSUM TABLE ${names}`));
  const seconds = Math.max(...tables.map(({ written_at }) => Number(written_at ?? 0)));
  return { content, writtenAt: seconds * 1000 };
}
