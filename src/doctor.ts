import { type DatabaseAsked, examineDatabases, type Server } from "./doctor/databases.ts";
import { distributionFindings } from "./doctor/distribution.ts";
import {
  type Check,
  examine,
  ok,
  problem,
  type State,
  type Told,
  unknown,
} from "./doctor/finding.ts";
import { storeFindings } from "./doctor/store.ts";
import { PipelineError } from "./error.ts";
import type { Distribution } from "./invalidate/distribution.ts";
import type { ObjectStore } from "./publish/store.ts";
import { listsOf, tablesOf } from "./site.ts";
import type { Source } from "./source/source.ts";

export type { Server } from "./doctor/databases.ts";
export type { State, Told } from "./doctor/finding.ts";

/** Everything that is looked at. */
export interface Patient extends DatabaseAsked {
  /** The primary first; none where the source and the ledger are embedded. */
  readonly servers: readonly Server[];
  /** The embedded source, where there is no primary; a text says why it cannot be opened. */
  readonly embedded: Source | string | undefined;
  readonly store: ObjectStore;
  readonly distribution: Distribution | undefined;
  readonly tagHeader: string | undefined;
  /** The folder of the bucket that is published to; "" for all of it. */
  readonly prefix: string;
}

/** How many findings there are of each state. */
export type Diagnosis = Readonly<Record<State, number>>;

/**
 * Looks at every part that the settings name and yields what it finds, part by part. It only reads,
 * but for an object of its own in a bucket. Nothing that a part answers is thrown.
 */
export async function* diagnose(patient: Patient): AsyncGenerator<Told> {
  yield* examineDatabases(patient.servers, patient);
  for (const check of otherChecks(patient)) yield* await examine(check);
}

function otherChecks(patient: Patient): readonly Check[] {
  const { embedded, store, distribution, site } = patient;
  return [
    ...(embedded === undefined ? [] : [embeddedCheck(embedded, patient)]),
    { name: "store", place: store.name, look: () => storeFindings(store) },
    distribution === undefined
      ? { name: "distribution", place: "no CDN", look: async () => [NO_CDN] }
      : {
          name: "distribution",
          place: distribution.name,
          look: () => distributionFindings(distribution, { ...patient, kinds: site.kinds }),
        },
  ];
}

const NO_CDN = unknown("No distribution is set, so none was looked at.");

function embeddedCheck(source: Source | string, { site }: Patient): Check {
  return {
    name: "tables",
    place: "embedded source",
    async look() {
      if (typeof source === "string") return [unknown(source)];
      try {
        await source.check(tablesOf(site.kinds), listsOf(site.kinds));
        return [ok("Every declared table is there, as it is declared.")];
      } catch (error) {
        if (!(error instanceof PipelineError)) throw error;
        return [problem(error.message, error.hint)];
      }
    },
  };
}
