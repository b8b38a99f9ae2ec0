import { createRequire } from "node:module";
import { DatabaseSync, StatementSync } from "node:sqlite";

/** What a run asked of ledger and source. On a server each of these is a round trip. */
export interface Counts {
  transactions: number;
  statements: number;
  queries: number;
  /** Every call on a connection, BEGIN and COMMIT included. */
  calls: number;
}

const counts: Counts = { transactions: 0, statements: 0, queries: 0, calls: 0 };
/** Every statement counted since the last `takeCounts`, in order. */
const texts: string[] = [];

/** Gives the counts since the last call, with the statements. */
export function takeCounts(): Counts & { readonly texts: readonly string[] } {
  const taken = { ...counts, texts: texts.splice(0) };
  Object.assign(counts, { transactions: 0, statements: 0, queries: 0, calls: 0 });
  return taken;
}

/** Counts whatever this process asks of SQLite or MySQL from now on. */
export function countCalls(): void {
  const { all } = StatementSync.prototype;
  StatementSync.prototype.all = function counted(
    this: StatementSync,
    ...values: Parameters<typeof all>
  ) {
    count(this.sourceSQL);
    return all.apply(this, values);
  } as typeof all;
  const { exec } = DatabaseSync.prototype;
  DatabaseSync.prototype.exec = function counted(this: DatabaseSync, text) {
    count(text);
    return exec.call(this, text);
  };
  // The class that mysql2 wraps in promises.
  const { prototype } = createRequire(import.meta.url)("mysql2").Connection;
  const { query } = prototype;
  prototype.query = function counted(
    this: unknown,
    options: string | { sql: string },
    ...rest: unknown[]
  ) {
    count(typeof options === "string" ? options : options.sql);
    return query.call(this, options, ...rest);
  };
}

function count(text: string): void {
  counts.calls += 1;
  texts.push(text);
  if (/^(BEGIN|START TRANSACTION)/.test(text)) counts.transactions += 1;
  else if (/\bnb_|nightbake_meta/.test(text)) counts.statements += 1;
  else if (/^\(?SELECT/.test(text)) counts.queries += 1;
}
