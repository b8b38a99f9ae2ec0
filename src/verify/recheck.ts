import type { LivePage } from "../ledger/ledger.ts";
import type { Wired } from "../pipeline/run.ts";
import { insist } from "../publish/slots.ts";
import type { StoredHead } from "../publish/store.ts";
import { address, routeOfKey } from "../site.ts";
import type { Finding } from "./finding.ts";
import { isSameTag, type Suspect } from "./listing.ts";

/** What became of suspects: some are found, some only wait, the others are as they should be by now. */
export interface Rechecked {
  readonly findings: readonly Finding[];
  readonly waiting: number;
}

/**
 * Looks at each suspect again, its object first and the ledger afterwards: what a run has put or
 * deleted meanwhile is no finding, and what it is about to put waits.
 */
export async function recheck(
  { ledger, store, slots }: Pick<Wired, "ledger" | "store" | "slots">,
  suspects: readonly Suspect[],
): Promise<Rechecked> {
  const objects = suspects.map(({ object }) => object);
  const heads = await Promise.all(objects.map((object) => insist(slots, () => store.head(object))));
  const [live, retired, adopted, lingering, intents] = await Promise.all([
    ledger.liveFolded(objects.map(routeOfKey)),
    ledger.retiredAmong(objects),
    ledger.adoptedAt(objects),
    ledger.lingeringAmong(objects),
    ledger.intents(),
  ]);
  // The objects of pages that are taken down went first; a run will take them off the ledger.
  const bars = await ledger.barred(live);
  const barred = new Set(live.filter((_, at) => bars[at] !== undefined));
  const owners = Map.groupBy(live, ({ route }) => address(route).key);
  const known = new Set([...retired.keys(), ...lingering, ...adopted.map(({ object }) => object)]);
  const intended = new Set(intents.map(({ route }) => address(route).key));
  const verdicts = suspects.map((suspect, at) => {
    if (intended.has(suspect.object)) return "waiting";
    const pages = owners.get(suspect.object) ?? [];
    if (pages.length > 0 && pages.every((page) => barred.has(page))) return "waiting";
    if (pages.length > 0) return judge(suspect, heads[at], pages);
    if (heads[at] === undefined) return "good";
    return known.has(suspect.object) ? "waiting" : foreign(suspect);
  });
  return {
    findings: verdicts.filter((each) => typeof each === "object"),
    waiting: verdicts.filter((each) => each === "waiting").length,
  };
}

type Verdict = Finding | "waiting" | "good";

function judge(
  suspect: Suspect,
  head: StoredHead | undefined,
  pages: readonly LivePage[],
): Verdict {
  const { object } = suspect;
  const [page] = pages;
  if (page === undefined || pages.some(({ hash }) => hash === undefined)) return "waiting";
  if (head === undefined) return { flaw: "missing", object, page, detail: "no object" };
  if (pages.some((each) => isAsKnown(each, head, suspect))) return "good";
  return { flaw: "altered", object, page, detail: difference(page, head, suspect) };
}

/** Where there are no tags to compare, the size as listed has to do. */
function isAsKnown(page: LivePage, { etag }: StoredHead, { listed }: Suspect): boolean {
  return isSameTag(page.etag, etag) ?? (listed === undefined || listed.bytes === page.bytes);
}

function difference(page: LivePage, { etag }: StoredHead, { listed }: Suspect): string {
  if (listed !== undefined && listed.bytes !== page.bytes) {
    return `${listed.bytes} bytes, not ${page.bytes}`;
  }
  return `the entity tag is ${etag}, not ${page.etag}`;
}

function foreign({ object, listed }: Suspect): Finding {
  const detail = listed === undefined ? "no page has it" : `${listed.bytes} bytes`;
  return { flaw: "foreign", object, page: undefined, detail };
}
