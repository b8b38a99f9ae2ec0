import type { Adopted, Retired } from "../ledger/ledger.ts";
import type { Expecting } from "../publish/put-expecting.ts";
import type { StoredHead } from "../publish/store.ts";
import { type Artifact, address, routeOfKey, type Step } from "../site.ts";
import { adoptedAt } from "./adopted.ts";
import { tryDeleteConditions } from "./delete-conditions.ts";
import { isConditional, tieStore } from "./marker.ts";
import type { Run } from "./run.ts";

/**
 * What the puts of these steps expect to find: the object of the page that is live at the route, one
 * that waits to be deleted or for its page, or none. An object of which nobody knows what it is may be replaced whatever it is. Call it before
 * the puts are intended, which makes the pages that are displaced forget what they are.
 */
export async function expectations(
  run: Run,
  steps: readonly Step[],
): Promise<(artifact: Artifact) => Expecting> {
  const { wired, context } = run;
  const base: Expecting = { id: context.run, mayReplace: (...of) => mayReplace(run, ...of) };
  if (!(await isConditional(wired))) return () => base;
  const routes = new Set(steps.map(({ route }) => route));
  const live = await wired.ledger.liveFolded([...routes]);
  const owners = Map.groupBy(
    live.filter(({ route }) => routes.has(route)),
    ({ route }) => address(route).key,
  );
  const left = new Map<string, Pick<Retired | Adopted, "etag">>([
    ...(await wired.ledger.retiredAmong([...routes].map((route) => address(route).key))),
    ...(await adoptedAt(run, [...routes])),
  ]);
  return ({ key }) => {
    const own = owners.get(key) ?? [];
    const free = left.has(key) ? left.get(key)?.etag : null;
    // While two pages exchange a route, which of them is there is not known.
    return {
      ...base,
      expected: own.length === 0 ? free : own.length > 1 ? undefined : own[0]?.etag,
    };
  };
}

/** Ties the store to the ledger, and says when it cannot guard against another publisher. */
export async function tie({ wired, options }: Run): Promise<void> {
  const { name, isConditional: isDeclared, deleteConditions: declared } = wired.store;
  const note = (message: string) => options.emit({ event: "note", message });
  // First, so that a run that is cut off here ties, and tries, again.
  const deletes = await tryDeleteConditions(wired);
  if (!(await tieStore(wired)) && isDeclared !== false) {
    note(
      `${name} accepts puts whose condition does not hold, so only the ledger keeps two publishers apart.`,
    );
  }
  if (deletes === "ignored" && declared !== "ignored") {
    note(
      `${name} accepts deletes whose condition does not hold, so what another hand puts while an object is looked at is deleted.`,
    );
  }
}

/**
 * Another hand's object is put right, as long as this run is the one that publishes. That may be a
 * process that helped this run and was cut off, who said beforehand what it put.
 */
async function mayReplace(run: Run, key: string, found: StoredHead | undefined): Promise<void> {
  await run.claim();
  if (found?.writeId === run.context.run) return;
  const isThere = found !== undefined;
  const { ledger, cdn } = run.wired;
  // Caches may hold what the other hand has put, also where no page was live.
  if (cdn.isCaching && isThere) await ledger.recall([routeOfKey(key)]);
  const message = isThere
    ? `The object ${key} was not what the ledger says; another hand has written it, and it is put right.`
    : `The object ${key} was not there although the ledger knows it; it is put again.`;
  run.options.emit({ event: "note", message });
}
