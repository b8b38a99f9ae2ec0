import type { MysqlConnection } from "../source/mysql-connection.ts";
import type { Facts } from "./facts.ts";
import { type Finding, ok, problem, unknown, warning } from "./finding.ts";

/** How long a replica may take to reach what the primary has committed. */
const WAIT_SECONDS = 2;

/** A server with an open connection. */
export interface Asked {
  readonly connection: MysqlConnection;
  readonly facts: Facts;
}

/** Whether the server is what the settings say that it is. */
export async function roleFinding(
  { connection, facts }: Asked,
  { role, primary }: { readonly role: "primary" | "replica"; readonly primary: Asked | undefined },
): Promise<Finding> {
  const { flavour } = facts;
  const { isPrimary, identity } = await flavour.standing(connection);
  if (role === "primary") {
    if (isPrimary) return ok("It takes writes.");
    const remedy = "Let DATABASE_URL name the server that takes writes.";
    return problem("It is read-only, or applies another server's writes.", remedy);
  }
  const first = primary && (await primary.facts.flavour.standing(primary.connection));
  if (first?.identity === identity) {
    return warning("It is the primary itself.", "Take it out of DATABASE_REPLICA_URLS.");
  }
  if (!isPrimary) return ok("It takes no writes of its own.");
  return warning(
    "It takes writes, so what it shows need not be what the primary has.",
    "SET GLOBAL read_only = 1; and in its configuration. Or let it replicate from the primary.",
  );
}

/**
 * Whether a replica reaches what the primary has committed, and how soon. Positions are compared by
 * the replica: the seconds that servers report are 0 while nothing arrives.
 */
export async function lagFinding(
  primary: Asked,
  replica: Asked,
  now: () => number = Date.now,
): Promise<Finding> {
  const { flavour } = primary.facts;
  if (replica.facts.flavour.name !== flavour.name) {
    return problem("It is another product than the primary.", "Use one product for all servers.");
  }
  // A primary waits for ever for its own positions.
  if ((await replica.facts.flavour.standing(replica.connection)).isPrimary) {
    return unknown("It applies nobody's writes, so it has no lag.");
  }
  const position = await flavour.position(primary.connection);
  if (position === undefined) {
    return unknown(
      "The primary tells no position: it writes no binary log, or nothing was written yet.",
    );
  }
  const begun = now();
  const hasReached = await flavour.reaches(replica.connection, position, WAIT_SECONDS);
  const ms = Math.round(now() - begun);
  if (hasReached) return ok(`It had what the primary has committed after ${ms} ms.`);
  return warning(
    `It does not have what the primary committed ${WAIT_SECONDS} s ago (${position}).`,
    `Look at ${flavour.words.replicaStatus} there: replication has stopped, is delayed, follows another server, or is too slow.`,
  );
}
