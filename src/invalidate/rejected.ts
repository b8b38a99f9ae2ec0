import type { Choices, Group } from "./groups.ts";

/** An item for several objects that was not chosen, and why. */
export interface Rejected {
  readonly item: string;
  /** Changed objects with old copies that it would evict, and the items that they need one by one. */
  readonly changed: number;
  readonly alone: number;
  /** Unchanged objects that it would evict. */
  readonly evicted: number;
  /**
   * `share`: beyond the bound by itself; `price`: unchanged pages cost more than it saves;
   * `others`: other items, chosen together, are cheaper.
   */
  readonly why: "share" | "price" | "others";
}

interface Choice {
  /** Groups that could pay. */
  readonly worth: readonly Group[];
  readonly chosen: readonly Group[];
  readonly maxEvicted: number;
}

/** Enough to see what the choice was between. */
const MOST = 5;

/** What a person would ask about: the largest items that were left. */
export function rejected(all: Choices, { worth, chosen, maxEvicted }: Choice): readonly Rejected[] {
  const canPay = new Set(worth);
  const isChosen = new Set(chosen);
  const whyNot = (group: Group) => {
    if (group.evicted > maxEvicted) return "share";
    return canPay.has(group) ? "others" : "price";
  };
  const left = all.groups.filter((group) => !isChosen.has(group) && group.members.length > 1);
  const largest = left.sort((a, b) => b.alone - a.alone).slice(0, MOST);
  return largest.map((group) => {
    const { item, alone, evicted, members } = group;
    return { item, alone, evicted, changed: members.length, why: whyNot(group) };
  });
}
