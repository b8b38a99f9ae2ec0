import { type AnyTable, encodeKey, type Key, keyName } from "../site.ts";
import type { FollowedCatalog } from "./binlog-catalog.ts";
import type { BinlogEvent, Image, RowImages } from "./binlog-event.ts";
import { isBegin, isDefinition, isEnd, reachOf } from "./binlog-statement.ts";
import { rawOf } from "./binlog-value.ts";
import { type RowDecoder, rowDecoder } from "./decode.ts";
import type { Change, Followed, KeyRange, RowChange, Transaction } from "./feed.ts";
import type { Position } from "./position.ts";
import type { Decoded } from "./source.ts";

/** What the events of a log are about. */
export interface Grouping {
  readonly followed: readonly Followed[];
  readonly catalog: FollowedCatalog;
  /** Rows of one table that one transaction may have; of more, their range is told. */
  readonly maxRows: number;
}

/** A transaction as the log tells it. */
export interface GroupedTransaction extends Transaction {
  /** Tables or their foreign keys may be others from here on. */
  readonly altersTables: boolean;
}

/** Makes transactions of events. */
export interface Groups {
  /** Takes the next event; gives the transaction that it ends, if it does. */
  take(event: BinlogEvent): GroupedTransaction | undefined;
}

/** What a read in text form gives: see {@link rawOf}. */
const FORM = { hasTextualNumbers: true };

/** Begins with no group open. */
export function openGroups(grouping: Grouping): Groups {
  let open: Group | undefined;
  const end = (next?: Group) => {
    const done = open?.transaction();
    open = next;
    return done;
  };
  return {
    take(event) {
      // A group that never ended was rolled back by a server that died; what it told does no harm.
      if (event.is === "begin") return end(new Group(grouping, event));
      if (open === undefined) return undefined;
      return open.take(event) === "ended" ? end() : undefined;
    },
  };
}

interface Told {
  readonly decoder: RowDecoder;
  readonly table: AnyTable;
  readonly rows: RowChange[];
  rescan: { readonly range?: KeyRange; readonly why: string } | undefined;
}

type GroupBegin = Extract<BinlogEvent, { is: "begin" }>;

/** What one group has told so far. */
class Group {
  readonly #grouping: Grouping;
  readonly #position: Position;
  readonly #committedAt: number;
  readonly #told = new Map<string, Told>();
  #isAlone: boolean;
  #altersTables = false;

  constructor(grouping: Grouping, { position, committedAt, isAlone }: GroupBegin) {
    this.#grouping = grouping;
    this.#position = position;
    this.#committedAt = committedAt;
    this.#isAlone = isAlone;
  }

  take(event: Exclude<BinlogEvent, { is: "begin" }>): "ended" | undefined {
    if (event.is === "end") return "ended";
    if (event.is === "rows") this.#rows(event.schema, event.table, event.rows);
    if (event.is === "opaque") this.#all(event.what);
    return event.is === "statement" ? this.#statement(event.text, event.schema) : undefined;
  }

  transaction(): GroupedTransaction {
    const changes = [...this.#told.values()].flatMap(
      ({ table, rows, rescan }): readonly Change[] =>
        rescan === undefined ? rows : [{ is: "rescan", table, ...rescan }],
    );
    const of = { position: this.#position, committedAt: this.#committedAt };
    return { ...of, changes, altersTables: this.#altersTables };
  }

  #statement(text: string, from: string): "ended" | undefined {
    if (isBegin(text)) {
      this.#isAlone = false;
      return undefined;
    }
    const { followed, catalog } = this.#grouping;
    const names = followed.map(({ table }) => table.name);
    const reach = reachOf(text, catalog.schema, names, from);
    const why = shortened(text);
    if (reach === "all") this.#all(why);
    else if (reach !== "none") for (const name of reach) this.#rescan(name, { why });
    if (isDefinition(text, from, catalog.schema)) this.#altersTables = true;
    return this.#isAlone || isEnd(text) ? "ended" : undefined;
  }

  #all(why: string): void {
    for (const { table } of this.#grouping.followed) this.#rescan(table.name, { why });
  }

  #rescan(name: string, rescan: NonNullable<Told["rescan"]>): void {
    const told = this.#of(name);
    if (told === undefined) return;
    // What is told of the whole table is never narrowed to a range.
    if (told.rescan === undefined || told.rescan.range !== undefined) told.rescan = rescan;
    told.rows.length = 0;
  }

  #of(name: string): Told | undefined {
    const known = this.#told.get(name);
    const use = this.#grouping.followed.find(({ table }) => table.name === name);
    if (known !== undefined || use === undefined) return known;
    const decoder = rowDecoder(use.table, use.see, FORM);
    const told = { decoder, table: use.table, rows: [], rescan: undefined };
    this.#told.set(name, told);
    return told;
  }

  #rows(schema: string, name: string, rows: readonly RowImages[]): void {
    const { catalog } = this.#grouping;
    for (const { child, reaches } of catalog.cascades.get(`${schema}.${name}`) ?? []) {
      if (rows.some(reaches)) this.#rescan(child, { why: `a foreign key to ${name}` });
    }
    if (schema !== catalog.schema) return;
    const told = this.#of(name);
    if (told !== undefined) for (const images of rows) this.#row(told, images);
  }

  #row(told: Told, { before, after }: RowImages): void {
    const { rescan, table } = told;
    if (rescan !== undefined && rescan.range === undefined) return;
    const [was, is] = [this.#decoded(told, before), this.#decoded(told, after)];
    if (was === "vague" || is === "vague") {
      this.#rescan(table.name, {
        why: "a row that is not logged whole, or has no key as declared",
      });
      return;
    }
    const changes = changesOf(table, was, is);
    if (rescan?.range !== undefined) {
      const range = changes.reduce((range, { key }) => widened(range, key), rescan.range);
      told.rescan = { ...rescan, range };
      return;
    }
    told.rows.push(...changes);
    if (told.rows.length > this.#grouping.maxRows) this.#degrade(told);
  }

  /** Rows beyond the limit are not kept, only from where to where they are. */
  #degrade({ table, rows }: Told): void {
    const [first] = rows;
    if (first === undefined) return;
    const range = rows.reduce((range, { key }) => widened(range, key), {
      from: first.key,
      to: first.key,
    });
    this.#rescan(table.name, { range, why: "a transaction of very many rows" });
  }

  #decoded(told: Told, image: Image | undefined): Decoded | undefined | "vague" {
    if (image === undefined) return undefined;
    const { columns } = told.decoder;
    if (columns.some((column) => !(column in image))) return "vague";
    const types = this.#grouping.catalog.types;
    const raw = columns.map((column) =>
      rawOf(image[column], types.get(`${told.table.name}.${column}`)),
    );
    const decoded = told.decoder.decode(raw);
    return decoded.key === undefined ? "vague" : decoded;
  }
}

function changesOf(
  table: AnyTable,
  before: Decoded | undefined,
  after: Decoded | undefined,
): readonly RowChange[] {
  const change = (key: Key, was: Decoded | undefined, is: Decoded | undefined): RowChange => ({
    is: "row",
    table,
    key,
    before: was,
    after: is,
  });
  const [old, now] = [before?.key, after?.key];
  if (old !== undefined && now !== undefined && keyName(old) === keyName(now)) {
    return [change(now, before, after)];
  }
  return [
    ...(old === undefined ? [] : [change(old, before, undefined)]),
    ...(now === undefined ? [] : [change(now, undefined, after)]),
  ];
}

function widened({ from, to }: KeyRange, key: Key): KeyRange {
  const isBefore = (a: Key, b: Key) => Buffer.compare(encodeKey(a), encodeKey(b)) < 0;
  return { from: isBefore(key, from) ? key : from, to: isBefore(to, key) ? key : to };
}

/** Statements may hold values, which may be secret: only the beginning is told. */
function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return /^[A-Za-z]+( [A-Za-z]+)?( [\w`.]+)?/.exec(line)?.[0] ?? "a statement";
}
