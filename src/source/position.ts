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
