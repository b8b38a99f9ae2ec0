import { type Choices, type Group, itemsAlone } from "./groups.ts";
import { type Problem, search } from "./search.ts";
import type { Load } from "./terms.ts";

/** What was chosen, and among which groups. */
interface Choice {
  /** Groups that can pay. */
  readonly worth: readonly Group[];
  readonly chosen: readonly Group[];
  /** Items of the chosen groups, then those of objects that none of them evicts. */
  readonly items: readonly string[];
}

/** Chooses among the groups that can pay, and adds what no chosen one evicts. */
export function choose({ objects, groups }: Choices, weigh: (load: Load) => number): Choice {
  const most = objects.reduce((sum, { alone }) => sum + alone, 0);
  const worth = groups.filter((group) => canPay(group, most, weigh));
  const { problem, classOf } = problemOf({ objects, groups: worth }, weigh);
  const found = search(problem);
  const isCovered = problem.classes.map((each) => each.groups.some((at) => found.has(at)));
  const left = objects.filter((_, at) => !isCovered[classOf[at] ?? 0]);
  const chosen = worth.filter((_, at) => found.has(at));
  const items = new Set([...chosen.map(({ item }) => item), ...left.flatMap(itemsAlone)]);
  return { worth, chosen, items: [...items] };
}

/** An item saves most while there are many, so what does not pay then never does. */
function canPay(
  { alone, evicted, isWildcard }: Group,
  most: number,
  weigh: (load: Load) => number,
): boolean {
  const before = weigh({ items: most, wildcards: 0, evicted: 0 });
  const after = { items: most - alone + 1, wildcards: isWildcard ? 1 : 0, evicted };
  return weigh(after) < before;
}

/**
 * Objects in the same groups become one class, most often a handful of them. Each group parts the
 * classes so far into what it holds and what it does not.
 */
function problemOf({ objects, groups }: Choices, weigh: (load: Load) => number) {
  const classOf = new Int32Array(objects.length);
  const groupsOf: (readonly number[])[] = [[]];
  for (const [at, { members }] of groups.entries()) {
    const parted = new Map<number, number>();
    for (const member of members) {
      const from = classOf[member] ?? 0;
      const to = parted.get(from) ?? groupsOf.push([...(groupsOf[from] ?? []), at]) - 1;
      parted.set(from, to);
      classOf[member] = to;
    }
  }
  const classes = groupsOf.map((own) => ({ groups: own, alone: 0 }));
  for (const [at, { alone }] of objects.entries()) {
    const own = classes[classOf[at] ?? 0];
    if (own !== undefined) own.alone += alone;
  }
  const held = groups.map((): number[] => []);
  for (const [at, each] of classes.entries()) {
    // What all have left for narrower classes is no class any more.
    if (each.alone > 0) for (const group of each.groups) held[group]?.push(at);
  }
  const described = groups.map((group, at) => ({ ...group, classes: held[at] ?? [] }));
  const problem: Problem = { groups: described, classes, weigh };
  return { problem, classOf };
}
