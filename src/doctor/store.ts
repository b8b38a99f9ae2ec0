import { randomBytes } from "node:crypto";
import { PipelineError } from "../error.ts";
import { probe, triedDeletes } from "../pipeline/delete-conditions.ts";
import { keepsConditions } from "../pipeline/marker.ts";
import type { ObjectStore } from "../publish/store.ts";
import { type Finding, ok, problem, unknown, warning } from "./finding.ts";

/**
 * Whether the store can be listed, written and deleted from, and what it keeps. A bucket is tried with
 * an object of a name of its own, which is deleted again, so that no run is in the way.
 */
export async function storeFindings(store: ObjectStore): Promise<readonly Finding[]> {
  const refused = await refusal(() => store.check());
  if (refused !== undefined) return [refused];
  const about = "access";
  if (store.isConditional !== undefined) return [ok("It can be used.", { about })];
  const object = probe(`.nightbake-doctor-${randomBytes(6).toString("hex")}.json`);
  const tried: Finding[] = [];
  const failed = await refusal(async () => {
    tried.push(...(await conditionFindings(store, object)));
  });
  // What a refusal of the last step left behind.
  if (failed !== undefined) await refusal(async () => void (await store.delete([object.key])));
  const access = failed ?? ok("It can be listed, read, written and deleted from.", { about });
  return [access, ...tried, await versioningFinding(store)];
}

async function conditionFindings(
  store: ObjectStore,
  object: ReturnType<typeof probe>,
): Promise<readonly Finding[]> {
  const etag = await store.put(object);
  const puts = await keepsConditions(store, object, etag);
  const deletes = await triedDeletes(store, object);
  const remedy =
    "Use a store that keeps If-Match and If-None-Match, as S3 does, or publish from one place.";
  return [
    puts
      ? ok("Puts whose condition does not hold are refused.", { about: "conditional puts" })
      : warning(
          "Puts whose condition does not hold are accepted, so only the ledger keeps two publishers apart.",
          remedy,
          { about: "conditional puts" },
        ),
    deletes === "ignored"
      ? warning(
          "Deletes whose condition does not hold are accepted, so what another hand puts meanwhile may go.",
          remedy,
          { about: "conditional deletes" },
        )
      : ok("Deletes whose condition does not hold are refused.", { about: "conditional deletes" }),
  ];
}

async function versioningFinding(store: ObjectStore): Promise<Finding> {
  const about = "versioning";
  if (await store.keepsVersions()) return ok("What is replaced stays as a version.", { about });
  return warning(
    "It keeps no versions, or they may not be asked for: a rollback needs the copies on the machine that published.",
    "Turn versioning on with a lifecycle rule for noncurrent versions, and allow s3:GetBucketVersioning, s3:ListBucketVersions and s3:GetObjectVersion.",
    { about },
  );
}

/** A refusal as a finding; undefined when the work was done. */
async function refusal(work: () => Promise<void>): Promise<Finding | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    const about = { about: "access" };
    return error.retryable
      ? { ...unknown(error.message, error.hint), ...about }
      : problem(error.message, error.hint, about);
  }
}
