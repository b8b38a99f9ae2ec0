import { PipelineError } from "../error.ts";
import type { AnyList, AnyTable, Instant, Row } from "../site.ts";
import { decodeValue, type Raw } from "../source/decode.ts";
import { type Dialect, quote, type Statement } from "../source/dialect.ts";
import { Flaw } from "../source/flaw.ts";
import { type MysqlCatalog, readCatalog } from "../source/mysql-catalog.ts";
import type { MysqlConnection } from "../source/mysql-connection.ts";
import { mysqlDialect } from "../source/mysql-dialect.ts";
import { createIndex } from "../source/schema.ts";
import { type Finding, ok, problem } from "./finding.ts";
import type { Asked } from "./replicas.ts";
import { likely, listStatements, type Planned, tableStatements } from "./statements.ts";

/** Rows among which values to ask with are looked for. */
const SAMPLE_ROWS = 20;
/** How EXPLAIN calls what reads nothing beside what is asked for; null: known without reading. */
const CHEAP: readonly unknown[] = [
  null,
  "system",
  "const",
  "eq_ref",
  "ref",
  "ref_or_null",
  "range",
];

/**
 * Whether the statements that builds run are ranges of an index: EXPLAIN of each, with values out of
 * the table. The tables must be as declared.
 */
export async function indexFindings(
  { connection, facts }: Asked,
  tables: readonly AnyTable[],
  { lists, now }: { readonly lists: readonly AnyList[]; readonly now: Instant },
): Promise<readonly Finding[]> {
  const catalog = await readCatalog(connection);
  const dialect = mysqlDialect(catalog);
  const moment = { dialect, now };
  const findings: Finding[] = [];
  for (const table of tables) {
    const sample = await sampleRow(connection, dialect, { table, now });
    const look = (about: string, planned: readonly Planned[]) =>
      planFinding({ connection, facts, catalog, dialect, table }, about, planned);
    findings.push(await look(table.name, tableStatements(moment, table, sample)));
    for (const list of lists.filter((each) => each.table === table)) {
      findings.push(await look(`list ${list.name}`, listStatements(moment, list, sample)));
    }
  }
  return findings;
}

interface At extends Asked {
  readonly catalog: MysqlCatalog;
  readonly dialect: Dialect;
  readonly table: AnyTable;
}

async function planFinding(at: At, about: string, planned: readonly Planned[]): Promise<Finding> {
  const { catalog, dialect, table } = at;
  const flaws: { readonly flaw: string; readonly index: readonly string[] }[] = [];
  for (const { name, statement, index } of planned) {
    const flaw = await planFlaw(at, statement);
    if (flaw !== undefined) flaws.push({ flaw: `${name}: ${flaw}`, index });
  }
  if (flaws.length === 0) return ok("Every statement is a range of an index.", { about });
  const wanted = [...new Map(flaws.map(({ index }) => [index.join(), index])).values()];
  const missing = wanted.filter((index) => catalog.indexOver(table, index) === undefined);
  const remedies =
    missing.length > 0
      ? missing.map((index) => `${createIndex(dialect, table, index)};`)
      : [`ANALYZE TABLE ${quote(dialect, table.name)};`];
  const message = `It is not read along an index: ${flaws.map(({ flaw }) => flaw).join("; ")}.`;
  return problem(message, remedies.join(" "), { about });
}

/** Why a statement reads more than it gives, as EXPLAIN tells; undefined when it does not. */
async function planFlaw(
  { connection, facts }: Asked,
  { select, sql, params }: Statement,
): Promise<string | undefined> {
  const { explain } = facts.flavour.words;
  const steps = await connection.all(`${explain} SELECT ${select.join(", ")} ${sql}`, params);
  const flaws = steps.flatMap((step) => {
    if (step.length < 10) {
      throw new PipelineError(
        "source_rejected",
        "The plan comes in a form that is not understood.",
      );
    }
    // MySQL tells the partitions, too, between table and type.
    const type = step[step.length > 10 ? 4 : 3] ?? null;
    const extra = String(step.at(-1));
    // MySQL reads an index of a single row, or none, from its start, whatever its conditions.
    const isTiny = step.length > 10 && type === "index" && Number(step.at(-3)) <= 1;
    const read = type === "ALL" ? "reads the whole table" : `reads the whole index (${type})`;
    return [
      ...(CHEAP.includes(type) || isTiny ? [] : [read]),
      ...(/filesort/.test(extra) ? ["sorts"] : []),
      ...(/temporary/.test(extra) ? ["fills a temporary table"] : []),
    ];
  });
  return flaws.length === 0 ? undefined : [...new Set(flaws)].join(" and ");
}

/** The first good value of each column; a likely one where the table has none. */
async function sampleRow(
  connection: MysqlConnection,
  dialect: Dialect,
  { table, now }: { readonly table: AnyTable; readonly now: Instant },
): Promise<Row> {
  const columns = Object.entries(table.columns);
  const names = columns.map(([name]) => quote(dialect, name)).join(", ");
  const sql = `SELECT ${names} FROM ${quote(dialect, table.name)} LIMIT ${SAMPLE_ROWS}`;
  const rows = await connection.all(sql);
  const values = columns.map(([name, column], at) => {
    const found = rows.map((row) => goodValue(row[at] ?? null, column, dialect));
    return [name, found.find((each) => each !== undefined) ?? likely(column, now)];
  });
  return Object.fromEntries(values);
}

function goodValue(raw: Raw, column: AnyTable["columns"][string], dialect: Dialect): unknown {
  try {
    return decodeValue(raw, column, dialect) ?? undefined;
  } catch (flaw) {
    if (flaw instanceof Flaw) return undefined;
    throw flaw;
  }
}
