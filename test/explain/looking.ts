import { openLook } from "../../src/explain.ts";
import type { PlanContext } from "../../src/plan/context.ts";
import { openSmall } from "../pipeline/small-site.ts";
import type { World } from "../pipeline/world.ts";

/** Asks about a world as it is at its `now`. */
export async function looking<T>(
  { site, store, now }: World,
  ask: (context: PlanContext) => Promise<T>,
): Promise<T> {
  await using wired = await openSmall(site, { ledger: "ledger.db", store });
  await using look = await openLook(wired, now);
  return await ask(look.context);
}
