import { type ChangedObject, type LiveCounts, mergeChanges } from "./changed.ts";
import { choose } from "./choose.ts";
import { choices, type Group } from "./groups.ts";
import { type Rejected, rejected } from "./rejected.ts";
import { type Load, spentUsd, TERMS, type Terms, weighing } from "./terms.ts";
import { callsOf, isWildcard, wavesOf } from "./waves.ts";

/** What differs from {@link TERMS}, and how things stand. */
export interface CoverOptions extends Partial<Terms> {
  /**
   * True when the distribution's CacheTagConfig names our header and all copies were made since.
   * Otherwise a tag evicts nothing, and the CDN says that all went well.
   */
  readonly useTags: boolean;
  /** Items that the account has asked for this month, of all its distributions. */
  readonly monthItems?: number;
  /** What others have in progress at this distribution. */
  readonly inProgress?: Pick<Load, "items" | "wildcards">;
}

/** An item that evicts several objects, and how many. */
export interface ChosenGroup extends Pick<Group, "item" | "evicted"> {
  /** Changed objects with old copies that it evicts. */
  readonly changed: number;
}

/** What to tell the CDN, and what it costs. */
export interface Cover {
  /** Items that may be in progress at once, in the order to send them; no item comes twice. */
  readonly waves: readonly (readonly string[])[];
  /** Objects of which old copies may be at the edge; each is evicted by at least one item. */
  readonly objects: number;
  /** The items that evict several, the largest first; all others are for one object each. */
  readonly groups: readonly ChosenGroup[];
  readonly load: Load;
  /** Unchanged pages that go with them at most, of all live ones; 0 to 1. */
  readonly share: number;
  /** What these items add to the month's bill. */
  readonly usd: number;
  /** What the month's bill is beyond the budget then; 0 when it is within. Nothing was left out for it. */
  readonly overBudgetUsd: number;
  readonly calls: number;
  /** About how long sending and completing takes. */
  readonly seconds: number;
  /** Items and price if each object went by its own paths. */
  readonly byPath: { readonly items: number; readonly usd: number };
  /** Items for several objects that were not chosen, the largest first. */
  readonly rejected: readonly Rejected[];
}

/**
 * Finds the cheapest items that evict every old copy of what changed: paths, wildcards of whole
 * folders and tags, together with what evicted unchanged pages cost. Pure.
 *
 * Each changed object with old copies is evicted for certain, in both forms of its address, also
 * when that exceeds the budget; a dearer weight of evicted pages never leaves one out either.
 */
export function cover(
  changed: Iterable<ChangedObject>,
  counts: LiveCounts,
  options: CoverOptions,
): Cover {
  const { useTags, monthItems = 0, inProgress = { items: 0, wildcards: 0 } } = options;
  const terms = { ...TERMS, ...options };
  const merged = mergeChanges(changed);
  const all = choices(merged, counts, useTags);
  const weigh = weighing(terms, monthItems, counts.live);
  const { worth, chosen, items } = choose(all, weigh);
  const waves = wavesOf(items, terms, inProgress);
  const unchanged = counts.live - merged.filter(({ after }) => after !== undefined).length;
  const evicted = chosen.reduce((sum, group) => sum + group.evicted, 0);
  const load = {
    items: items.length,
    wildcards: items.filter(isWildcard).length,
    // A page that two items evict is counted twice.
    evicted: Math.min(evicted, Math.max(0, unchanged)),
  };
  const usdOf = (count: number) =>
    spentUsd(terms, monthItems + count) - spentUsd(terms, monthItems);
  const paths = all.objects.reduce((sum, { paths }) => sum + paths, 0);
  const calls = callsOf(waves, terms);
  return {
    waves,
    objects: all.objects.length,
    groups: chosen.map(told).sort((a, b) => b.changed - a.changed),
    load,
    share: counts.live === 0 ? 0 : load.evicted / counts.live,
    usd: usdOf(items.length),
    overBudgetUsd: Math.max(0, spentUsd(terms, monthItems + items.length) - terms.budgetUsd),
    calls,
    seconds: calls * terms.callSeconds + waves.length * terms.waveSeconds,
    byPath: { items: paths, usd: usdOf(paths) },
    rejected: rejected(all, {
      worth,
      chosen,
      maxEvicted: Math.floor(terms.maxShare * counts.live),
    }),
  };
}

function told({ item, evicted, members }: Group): ChosenGroup {
  return { item, evicted, changed: members.length };
}
