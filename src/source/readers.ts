import { setTimeout as sleep } from "node:timers/promises";
import { PipelineError } from "../error.ts";
import { type MysqlConnection, SNAPSHOT, within } from "./mysql-connection.ts";
import type { Position } from "./position.ts";
import { type Asked, openReader, type ReaderLimits } from "./reader.ts";
import type { Fence } from "./source.ts";
import { reasonOf, type Survey, survey } from "./survey.ts";

/** A build has more time than an editor, and would load the primary for longer. */
const PATIENCE = 12;
/** A replica that does not answer at once is not waited for alone. */
const NEXT_MS = 200;
/** What a wait may take beyond its own limit before its server counts as frozen. */
const GRACE_MS = 2_000;
/** The servers of one database. */
export interface ReaderSetOptions extends ReaderLimits {
  /** The primary, as long as it is one. */
  readonly url: string;
  readonly replicaUrls?: readonly string[] | undefined;
  /** How long a rebuild waits for a replica to have what the primary has; default 5. */
  readonly waitSeconds?: number | undefined;
}

/** One snapshot on one server; its connection has to be given back. */
export interface Opened {
  readonly connection: MysqlConnection;
  readonly server: string;
  readonly isPrimary: boolean;
  /** All up to here is shown, perhaps more; undefined when the primary was not asked. */
  readonly position: Position | undefined;
  /** Why other servers are not read from, as full sentences. */
  readonly passed: readonly string[];
}

/** Finds a server to read from: a replica that has what the primary has, else the primary. */
export interface ReaderSet extends AsyncDisposable {
  /**
   * Opens a snapshot that shows all that the primary had committed before the call. Replicas that
   * fail, lag or hang are passed over and asked again later; none is ever given up.
   * @throws PipelineError `source_unavailable`, `source_rejected`, `position_unknown`
   */
  open(fence: Fence): Promise<Opened>;
  /** Asks the primary something. @throws PipelineError as `open` does */
  askPrimary<T>(question: (primary: Asked) => Promise<T>): Promise<T>;
}

/** Sets up the servers; connects to none yet. @throws PipelineError `config_invalid` */
export function openReaders(options: ReaderSetOptions): ReaderSet {
  const { url, replicaUrls = [], waitSeconds = 5, ...limits } = options;
  const readers = [url, ...replicaUrls].map((each) => openReader(each, limits));
  return {
    async open({ at = [], isPatient = false }) {
      const seconds = waitSeconds * (isPatient ? PATIENCE : 1);
      await using servers = await survey(readers, { isPatient, seconds });
      const { primary, passed } = servers;
      const { flavour, connection } = primary;
      for (const each of at) await checkKnown(primary, each, seconds);
      const isFenced = readers.length > 1 || at.length > 0;
      const position = isFenced ? await flavour.position(connection) : undefined;
      const replica = position && (await firstToReach(position, servers, seconds));
      if (replica) await replica.connection.run(SNAPSHOT);
      else await showOn(primary, position, seconds);
      const chosen = replica || primary;
      servers.keep(chosen);
      const server = { server: chosen.reader.name, isPrimary: chosen === primary };
      return { connection: chosen.connection, ...server, position, passed };
    },
    async askPrimary(question) {
      await using servers = await survey(readers, { isPatient: false, seconds: waitSeconds });
      return await question(servers.primary);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(readers.map((each) => each[Symbol.asyncDispose]()));
    },
  };
}

async function checkKnown(server: Asked, at: Position, seconds: number): Promise<void> {
  const { flavour, connection, isPrimary } = server;
  // Of a single server that is a replica only a wait can tell.
  if (!isPrimary) return await reach(server, at, seconds * 1000);
  if (await flavour.has(connection, at)) return;
  const message = "The primary has never had the position that was asked for.";
  throw new PipelineError("position_unknown", message, {
    hint: "It is another database's, or its commit was lost when a replica was promoted: save the change again.",
    at: { position: at },
  });
}

/** Undefined when none was in time. */
async function firstToReach(
  position: Position,
  { replicas, passed }: Survey,
  seconds: number,
): Promise<Asked | undefined> {
  const over = new AbortController();
  const waiting = new Set<Asked>();
  const until = performance.now() + seconds * 1000;
  const attempts = replicas.map(async (each, place) => {
    await sleep(place * NEXT_MS, undefined, { signal: over.signal });
    waiting.add(each);
    try {
      await reach(each, position, until - performance.now());
      each.reader.succeed();
      return each;
    } catch (error) {
      if (!over.signal.aborted) {
        each.reader.fail();
        passed.push(reasonOf(each.reader, error));
      }
      throw error;
    } finally {
      waiting.delete(each);
    }
  });
  try {
    return await Promise.any(attempts);
  } catch (error) {
    const bug = (error as AggregateError).errors.find((each) => !(each instanceof PipelineError));
    if (bug !== undefined) throw bug;
    return undefined;
  } finally {
    over.abort();
    for (const { connection } of waiting) connection.abandon();
  }
}

async function reach(
  { flavour, connection }: Asked,
  position: Position,
  ms: number,
): Promise<void> {
  const left = Math.max(0, ms);
  const patient = within(left + GRACE_MS, connection);
  if (await flavour.reaches(patient, position, left / 1000)) return;
  throw late(`It does not have ${position} yet, which the primary has.`);
}

/** Opens a snapshot on the primary, or on the only server. */
async function showOn(server: Asked, position: Position | undefined, seconds: number) {
  const { flavour, connection, isPrimary } = server;
  if (position === undefined || !isPrimary) return await connection.run(SNAPSHOT);
  if (await flavour.snapshotAt(connection, position, seconds)) return;
  throw late(`The primary does not show ${position} yet.`);
}

function late(message: string): PipelineError {
  return new PipelineError("source_unavailable", message);
}
