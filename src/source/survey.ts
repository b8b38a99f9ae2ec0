import { setTimeout as sleep } from "node:timers/promises";
import { PipelineError } from "../error.ts";
import type { Asked, Reader } from "./reader.ts";

/** Between two looks for a primary, while one restarts or another is promoted. */
const AGAIN_MS = 250;

/** Who is what among the servers, each with a connection; closing it gives them back. */
export interface Survey extends AsyncDisposable {
  /** The one that takes writes; with a single server that one. */
  readonly primary: Asked;
  /** Those that follow it, perhaps late. */
  readonly replicas: readonly Asked[];
  /** Why servers cannot be read from, as full sentences; more may be added. */
  readonly passed: string[];
  /** Its connection is the caller's from here on. */
  keep(asked: Asked): void;
}

/**
 * Asks every server who it is, at once; those that failed lately only when there is patience or no
 * primary among the others. Waits `seconds` for a primary, where there are several servers.
 * @throws PipelineError `source_unavailable` without a primary, `source_rejected` with two
 */
export async function survey(
  readers: readonly Reader[],
  { isPatient, seconds }: { readonly isPatient: boolean; readonly seconds: number },
): Promise<Survey> {
  const until = performance.now() + (readers.length > 1 ? seconds * 1000 : 0);
  for (;;) {
    try {
      return await look(readers, isPatient);
    } catch (error) {
      const isPassing = error instanceof PipelineError && error.retryable;
      if (!isPassing || performance.now() >= until) throw error;
    }
    await sleep(AGAIN_MS);
  }
}

async function look(readers: readonly Reader[], isPatient: boolean): Promise<Survey> {
  const failures = new Map<Reader, unknown>();
  const [awake, resting] = isPatient ? [readers, []] : partition(readers);
  const asked = await askAll(awake, failures);
  const isAlone = readers.length === 1;
  const leads = () => (isAlone ? asked : asked.filter((each) => each.isPrimary));
  const left = leads().length === 0 ? [] : resting;
  if (leads().length === 0) asked.push(...(await askAll(resting, failures)));
  const kept = new Set(asked);
  const close = async () =>
    void (await Promise.all([...kept].map((each) => each.connection.release())));
  const primary = leads()[0];
  if (primary === undefined || leads().some((each) => each.identity !== primary.identity)) {
    await close();
    throw primary === undefined
      ? (failures.get(readers[0] as Reader) ?? noPrimary())
      : twoPrimaries(leads());
  }
  primary.reader.succeed();
  return {
    primary,
    replicas: asked.filter((each) => each.identity !== primary.identity),
    passed: [
      ...[...failures].map(([reader, error]) => reasonOf(reader, error)),
      ...left.map(({ name }) => `${name} failed lately and is left alone for a while.`),
    ],
    keep: (each) => void kept.delete(each),
    [Symbol.asyncDispose]: close,
  };
}

function partition(readers: readonly Reader[]) {
  const { awake = [], resting = [] } = Object.groupBy(readers, (each) =>
    each.isResting ? "resting" : "awake",
  );
  return [awake, resting] as const;
}

/** In the order of the servers; what failed is kept apart. */
async function askAll(
  readers: readonly Reader[],
  failures: Map<Reader, unknown>,
): Promise<Asked[]> {
  const answers = await Promise.allSettled(readers.map((each) => each.ask()));
  return answers.flatMap((answer, at) => {
    if (answer.status === "fulfilled") return [answer.value];
    failures.set(readers[at] as Reader, answer.reason);
    return [];
  });
}

/** Why a server is not read from. @throws what is no failure of a server */
export function reasonOf({ name }: Reader, error: unknown): string {
  if (!(error instanceof PipelineError)) throw error;
  return `${name}: ${error.message}`;
}

function noPrimary(): PipelineError {
  return new PipelineError("source_unavailable", "None of the database's servers takes writes.", {
    hint: "Name the primary in DATABASE_URL, and every replica in DATABASE_REPLICA_URLS: one that is promoted is found there.",
  });
}

function twoPrimaries(asked: readonly Asked[]): PipelineError {
  const message =
    "Several of the database's servers take writes, so none is known to be the primary.";
  throw new PipelineError("source_rejected", message, {
    hint: "Set read_only on every replica, and stop a primary that was replaced.",
    at: { servers: asked.map(({ reader }) => reader.name).join(", ") },
  });
}
