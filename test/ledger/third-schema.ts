/**
 * Statements that make a ledger what schema 3 left: kinds and tables by name, names of reads of eight
 * bytes. The types are MySQL's, which SQLite takes, too.
 */
export const TO_THIRD_SCHEMA: readonly string[] = [
  `CREATE TABLE nb_page (kind VARBINARY(64) NOT NULL, page_key VARBINARY(1500) NOT NULL, route VARBINARY(1100) NOT NULL,
    start VARBINARY(1500), fold VARBINARY(8) NOT NULL, hash BINARY(16), etag VARBINARY(255), bytes BIGINT NOT NULL,
    trace LONGBLOB NOT NULL, lastmod BIGINT, release_id BIGINT NOT NULL, PRIMARY KEY (kind, page_key))`,
  `INSERT INTO nb_page SELECT (SELECT name FROM nb_name WHERE id = kind), page_key, route, start, fold, hash, etag,
    bytes, trace, lastmod, release_id FROM nb_live`,
  "DROP TABLE nb_live",
  "DROP TABLE nb_name",
  "DROP TABLE nb_row",
  `CREATE TABLE nb_row (tbl VARBINARY(64) NOT NULL, row_key VARBINARY(1500) NOT NULL, hash VARBINARY(8) NOT NULL,
    deps LONGBLOB NOT NULL, due_at BIGINT, PRIMARY KEY (tbl, row_key))`,
  "DROP TABLE nb_reader",
  `CREATE TABLE nb_reader (read_key VARBINARY(1400) NOT NULL, kind VARBINARY(64) NOT NULL,
    page_key VARBINARY(1500) NOT NULL, PRIMARY KEY (read_key, kind, page_key))`,
  "INSERT INTO nb_reader VALUES (X'0102030405060708', 'article', X'1501')",
  "UPDATE nightbake_meta SET value = '3' WHERE name = 'version'",
];
