import { countBelow } from "./folders.ts";
import type { Ledger } from "./ledger.ts";
import type { Work } from "./sql.ts";
import { countTagged } from "./tags.ts";

/** @see Ledger.countsOf */
export function* countsOf({
  tags,
  folders,
}: Parameters<Ledger["countsOf"]>[0]): Work<Awaited<ReturnType<Ledger["countsOf"]>>> {
  const below = yield* countBelow([...new Set(["/", ...folders])]);
  return { live: below.get("/") ?? 0, tagged: yield* countTagged(tags), below };
}
