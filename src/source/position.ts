import { PipelineError } from "../error.ts";

/**
 * A point in the history of a database, with the flavour of its servers before it: `mariadb:0-1-8`,
 * `mysql:UUID:1-8`. Never empty. Only a server can compare two of them.
 */
export type Position = string;

/** MariaDB, "Global Transaction ID": domain, server, sequence. MySQL, "GTID Sets": UUIDs, perhaps with tags. */
const FORMS = {
  mariadb: /^\d{1,10}-\d{1,10}-\d{1,20}$/,
  mysql:
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:[a-z_][a-z0-9_]{0,31}|:\d+(-\d+)?)+(,[0-9a-f-]{36}(:[a-z_][a-z0-9_]{0,31}|:\d+(-\d+)?)+)*$/i,
};

/**
 * The server's own form of a position. A server takes an empty one for reached and waits for ever
 * for one that it cannot know, so none but the flavour's own form gets that far.
 * @throws PipelineError `input_invalid`
 */
export function checkPosition(flavour: keyof typeof FORMS, position: Position): string {
  const gtid = position.startsWith(`${flavour}:`) ? position.slice(flavour.length + 1) : "";
  if (FORMS[flavour].test(gtid)) return gtid;
  const several = flavour === "mariadb" && gtid.includes(",");
  const message = several
    ? "The position has several GTID domains, which Nightbake does not follow."
    : `The position is empty, or none of a ${flavour === "mariadb" ? "MariaDB" : "MySQL"} server.`;
  throw new PipelineError("input_invalid", message, {
    hint:
      flavour === "mariadb"
        ? "Write mariadb: and the value of @@last_gtid, like mariadb:0-1-8."
        : "Write mysql: and a GTID set, like mysql:3e11fa47-71ca-11e1-9e33-c80aa9429562:1-8.",
    at: { position: position.slice(0, 100) },
  });
}

/**
 * True when all that is at or before `other` is at or before `position` as well; false for what cannot
 * be told. Two servers of one history only: MariaDB's numbers are not unique beyond it.
 */
export function covers(position: Position, other: Position): boolean {
  const [of, text] = halves(position);
  const [otherOf, otherText] = halves(other);
  if (of !== otherOf) return false;
  if (of === "mysql") return holdsAll(intervalsOf(text), intervalsOf(otherText));
  const [domain, , sequence = ""] = text.split("-");
  const [otherDomain, , otherSequence = ""] = otherText.split("-");
  if (domain !== otherDomain || !/^\d+$/.test(sequence + otherSequence)) return false;
  return BigInt(sequence) >= BigInt(otherSequence);
}

function halves(position: Position): readonly [flavour: string, gtid: string] {
  const at = position.indexOf(":");
  return [position.slice(0, at), position.slice(at + 1)];
}

type Intervals = ReadonlyMap<string, readonly (readonly [first: bigint, last: bigint])[]>;

/** By source, and tag if there is one. MySQL writes intervals of one source merged and in order. */
function intervalsOf(set: string): Intervals {
  const all = new Map<string, (readonly [bigint, bigint])[]>();
  for (const block of set.split(",")) {
    const [source = "", ...items] = block.trim().toLowerCase().split(":");
    let name = source;
    for (const item of items) {
      const [first = "", last = first] = item.split("-");
      if (!/^\d+$/.test(first)) name = `${source}:${item}`;
      else all.set(name, [...(all.get(name) ?? []), [BigInt(first), BigInt(last)]]);
    }
  }
  return all;
}

function holdsAll(set: Intervals, other: Intervals): boolean {
  return [...other].every(([source, intervals]) =>
    intervals.every(([first, last]) =>
      (set.get(source) ?? []).some(([from, to]) => from <= first && last <= to),
    ),
  );
}
