import { PipelineError } from "../../src/error.ts";
import type { ObjectStore, Request } from "../../src/publish/store.ts";
import type { Racer, Track } from "./track.ts";
import type { Reader, Witness } from "./witness.ts";

/** How long S3 accepts a signed request, ms. Source: "Signing and authenticating REST requests" in its API reference. */
const SIGNED_MS = 15 * 60_000;

/** The most turns by which a lost request may outlast all else: claims end in that time. */
const UNDER_WAY = 2000;

/** Does something with a request that carries this end. */
type Arrive<T> = (until: () => number) => Promise<T>;

type Writes = Pick<ObjectStore, "put" | "delete">;

/** The writes of a store as requests: each is signed at one turn and arrives at a later one. */
export function requestsTo(
  store: Writes,
  racer: Racer,
  { turns, dice, witness, sums, lateShare, slowShare, later }: Track,
): Writes {
  const lose = (arrive: Arrive<unknown>, endMs: number) => {
    const until = once(endMs, () => {
      throw new Error("Nobody signs it again.");
    });
    const late = () => {
      sums.late += 1;
      return arrive(until);
    };
    // Nobody waits any more for what the store says.
    const resumesAt = dice.pick([later(), later() + dice.between(0, UNDER_WAY)]);
    turns.take({ resumesAt }, late).catch(() => {});
  };
  const send = async <T>(request: Request, arrive: Arrive<T>): Promise<T> => {
    const endOf = () => request.until?.() ?? Date.now() + SIGNED_MS;
    const endMs = await turns.take(racer, () => alive(racer, endOf));
    if (dice.chance(lateShare)) {
      lose(arrive, endMs);
      request.onLost?.();
      await turns.take(racer, () => {});
      throw new PipelineError("store_unavailable", "The store did not answer.");
    }
    if (dice.chance(slowShare)) racer.resumesAt = later();
    return await turns.take(racer, () => {
      // Who dies leaves what is under way.
      if (racer.isDead && dice.chance(0.5)) lose(arrive, endMs);
      return alive(racer, () => arrive(once(endMs, endOf)));
    });
  };
  const seen = witnessed(store, racer, witness);
  return {
    put: (artifact, write = {}) =>
      send(write, (until) => seen.put(artifact, { ...write, until, onLost: undefined })).catch(
        (error: unknown) => {
          if (error instanceof PipelineError && error.code === "store_conflict") sums.refused += 1;
          throw error;
        },
      ),
    async delete(keys, deletion = {}) {
      const refused: string[] = [];
      // Those of one request go one after another.
      for (const key of keys) {
        const deleteOne: Arrive<readonly string[]> = (until) =>
          seen.delete([key], { ...deletion, until, onLost: undefined });
        refused.push(...(await send(deletion, deleteOne)));
      }
      sums.refused += refused.length;
      return refused;
    },
  };
}

/** The same writes, each of which is seen when the store has accepted it. */
export function witnessed(store: Writes, by: Reader, witness: Witness): Writes {
  return {
    async put(artifact, write) {
      const etag = await store.put(artifact, write);
      witness.wrote(by, artifact.key, artifact);
      return etag;
    },
    async delete(keys, deletion) {
      const refused = await store.delete(keys, deletion);
      for (const key of keys) if (!refused.includes(key)) witness.wrote(by, key);
      return refused;
    },
  };
}

/** @throws Error as in a process that was killed */
export function alive<T>(racer: Racer, call: () => T): T {
  if (racer.isDead) throw new Error("killed");
  return call();
}

/** A request that comes too late was signed when it was made; only then is it signed anew. */
function once(endMs: number, again: () => number): () => number {
  let isAgain = false;
  return () => {
    if (isAgain) return again();
    isAgain = true;
    return endMs;
  };
}
