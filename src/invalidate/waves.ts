import { type Load, room, type Terms } from "./terms.ts";

/**
 * Parts items into waves that may be in progress at once, wildcards as early as there is room. The
 * first is smaller by what is in progress already. Wildcards count as items, too: their limit is
 * said to be separate, and nothing is lost by staying below both.
 */
export function wavesOf(
  items: readonly string[],
  terms: Terms,
  inProgress: Pick<Load, "items" | "wildcards">,
): readonly (readonly string[])[] {
  const all = room(terms);
  const wildcards = items.filter(isWildcard);
  const others = items.filter((item) => !isWildcard(item));
  const waves: (readonly string[])[] = [];
  let used = inProgress;
  while (wildcards.length + others.length > 0) {
    const left = Math.max(0, all.items - used.items);
    const first = wildcards.splice(0, Math.min(left, Math.max(0, all.wildcards - used.wildcards)));
    const wave = [...first, ...others.splice(0, left - first.length)];
    if (wave.length > 0) waves.push(wave);
    used = { items: 0, wildcards: 0 };
  }
  return waves;
}

/** Calls that send these waves. */
export function callsOf(waves: readonly (readonly string[])[], { callItems }: Terms): number {
  return waves.reduce((sum, wave) => sum + Math.ceil(wave.length / callItems), 0);
}

/** True for an item that counts against the limit of wildcards. */
export function isWildcard(item: string): boolean {
  return item.endsWith("*");
}
