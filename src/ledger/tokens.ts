import { takeTurns } from "./lease.ts";
import { asBytes, asText, orUndefined } from "./rows.ts";
import { query, replaceRows, type SqlRow, type Work } from "./sql.ts";
import type { KeptToken, TokenLedger } from "./token-port.ts";

const TOKEN = "name,hash,scopes,created_at,used_at,revoked_at".split(",");

/** @see TokenLedger.addToken */
export function* addToken(token: Parameters<TokenLedger["addToken"]>[0]): Work<boolean> {
  const { name, hash, scopes, createdAt } = token;
  yield* takeTurns();
  const same = yield* query("SELECT name FROM nb_token WHERE name = ?", [name]);
  if (same.length > 0) return false;
  yield* replaceRows("nb_token", TOKEN, [[name, hash, scopes.join(","), createdAt, null, null]]);
  return true;
}

/** @see TokenLedger.tokens */
export function* tokens(): Work<readonly KeptToken[]> {
  return (yield* query(`SELECT ${TOKEN} FROM nb_token ORDER BY name`)).map(decodeToken);
}

/** @see TokenLedger.usedToken */
export function* usedToken(name: string, at: number): Work<void> {
  yield* query("UPDATE nb_token SET used_at = ? WHERE name = ?", [at, name]);
}

/** @see TokenLedger.revokeToken */
export function* revokeToken(name: string, at: number): Work<boolean> {
  const good = "name = ? AND revoked_at IS NULL";
  const found = yield* query(`SELECT name FROM nb_token WHERE ${good}`, [name], "update");
  yield* query(`UPDATE nb_token SET revoked_at = ? WHERE ${good}`, [at, name]);
  return found.length > 0;
}

function decodeToken(row: SqlRow): KeptToken {
  const scopes = asText(row["scopes"]);
  return {
    name: asText(row["name"]),
    hash: asBytes(row["hash"]),
    scopes: scopes === "" ? [] : scopes.split(","),
    createdAt: Number(row["created_at"]),
    usedAt: orUndefined(row["used_at"], Number),
    revokedAt: orUndefined(row["revoked_at"], Number),
  };
}
