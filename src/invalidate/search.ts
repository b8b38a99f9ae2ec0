import type { Group } from "./groups.ts";
import type { Load } from "./terms.ts";

/** Which groups to choose among: objects that are in the same groups are one class. */
export interface Problem {
  readonly groups: readonly (Pick<Group, "isWildcard" | "evicted" | "alone"> & {
    readonly classes: readonly number[];
  })[];
  /** Items that the objects of each class need one by one, and the groups they are in; perhaps none. */
  readonly classes: readonly { readonly alone: number; readonly groups: readonly number[] }[];
  /** What is to be least. */
  readonly weigh: (load: Load) => number;
}

/** Everything of one search that changes. */
interface State {
  readonly problem: Problem;
  readonly isChosen: Uint8Array;
  /** Chosen groups around each class. */
  readonly around: Int32Array;
  load: Load;
  weight: number;
  /** Work that may still be spent on getting better, in visits of a class. */
  patience: number;
}

/** With so few groups every choice is looked at, unless there are very many classes. */
const MAX_ALL = 14;
/** Rounds over all groups; the second seldom finds anything. */
const MAX_ROUNDS = 8;
/** Visits of a class: some tens of milliseconds. */
const PATIENCE = 3_000_000;
/** Other groups that are looked at again when one was turned over. */
const MAX_NEARBY = 64;
/** With so few groups, pairs of them are turned over too. */
const MAX_PAIRED = 40;
/** Smaller gains are rounding. */
const GAIN = 1e-9;

/** Gives the groups to choose: the best choice where there are few groups, else one close to it. */
export function search(problem: Problem): ReadonlySet<number> {
  const { groups } = problem;
  const visits = groups.reduce((sum, each) => sum + each.classes.length, 0);
  const isSmall = groups.length <= MAX_ALL && 2 ** groups.length * visits <= PATIENCE;
  return isSmall ? tryAll(problem) : tryGood(problem);
}

/** Looks at every choice, each by turning over one group of the one before (Gray's order). */
function tryAll(problem: Problem): ReadonlySet<number> {
  const state = begin(problem);
  let best = { weight: state.weight, isChosen: state.isChosen.slice() };
  for (let step = 1; step < 2 ** problem.groups.length; step += 1) {
    const at = 31 - Math.clz32(step & -step);
    turn(state, at, loadAfter(state, at));
    if (state.weight > best.weight - GAIN) continue;
    best = { weight: state.weight, isChosen: state.isChosen.slice() };
  }
  return chosenOf(best.isChosen);
}

/**
 * From no group, and from all, in two orders: each is added or dropped while that pays. Then
 * each, and among few each pair, is turned over by force and the ones near by follow; what does not
 * pay is undone.
 */
function tryGood(problem: Problem): ReadonlySet<number> {
  const found = orders(problem).flatMap((order) => {
    return [[], order].map((all) => {
      const state = begin(problem);
      for (const at of all) turn(state, at, loadAfter(state, at));
      improve(state, all.length === 0 ? order : order.toReversed());
      shake(state, order);
      return state;
    });
  });
  const [best] = found.sort((a, b) => a.weight - b.weight);
  return chosenOf(best?.isChosen ?? new Uint8Array());
}

function chosenOf(isChosen: Uint8Array): ReadonlySet<number> {
  return new Set(isChosen.keys().filter((at) => isChosen[at] === 1));
}

/** Least evicted pages for each item saved first; most items saved first. */
function orders({ groups }: Problem): readonly (readonly number[])[] {
  const ratio = groups.map(({ evicted, alone }) => (evicted + 1) / alone);
  const all = [...groups.keys()];
  return [
    all.toSorted((a, b) => (ratio[a] ?? 0) - (ratio[b] ?? 0)),
    all.toSorted((a, b) => (groups[b]?.alone ?? 0) - (groups[a]?.alone ?? 0)),
  ];
}

function begin(problem: Problem): State {
  const alone = problem.classes.reduce((sum, each) => sum + each.alone, 0);
  const load = { items: alone, wildcards: 0, evicted: 0 };
  return {
    problem,
    isChosen: new Uint8Array(problem.groups.length),
    around: new Int32Array(problem.classes.length),
    load,
    weight: problem.weigh(load),
    patience: PATIENCE,
  };
}

/** Turns over whatever pays, until nothing does; gives those that were, in order. */
function improve(state: State, order: readonly number[]): readonly number[] {
  const turned: number[] = [];
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const before = turned.length;
    for (const at of order) {
      const load = loadAfter(state, at);
      const weight = state.problem.weigh(load);
      if (weight > state.weight - GAIN) continue;
      turn(state, at, load);
      turned.push(at);
    }
    if (turned.length === before) break;
  }
  return turned;
}

function shake(state: State, order: readonly number[]): void {
  for (const first of order) {
    if (state.patience < 0) return;
    attempt(state, [first], nearby(state.problem, first));
  }
  if (order.length > MAX_PAIRED) return;
  for (const [at, first] of order.entries()) {
    for (const second of order.slice(at + 1)) attempt(state, [first, second], order);
  }
}

function attempt(state: State, forced: readonly number[], near: readonly number[]): void {
  const { weight } = state;
  for (const at of forced) turn(state, at, loadAfter(state, at));
  const others = near.filter((each) => !forced.includes(each));
  const turned = [...forced, ...improve(state, others), ...improve(state, near)];
  if (state.weight < weight - GAIN) return;
  for (const at of turned) turn(state, at, loadAfter(state, at));
}

function nearby({ groups, classes }: Problem, at: number): readonly number[] {
  if (groups.length <= MAX_NEARBY) return [...groups.keys()];
  const found = new Set([at]);
  for (const each of groups[at]?.classes ?? []) {
    for (const group of classes[each]?.groups ?? []) found.add(group);
    if (found.size > MAX_NEARBY) break;
  }
  return [...found];
}

/** The load if one group were chosen, or no longer. */
function loadAfter(state: State, at: number): Load {
  const { problem, around, isChosen, load } = state;
  const group = problem.groups[at];
  if (group === undefined) return load;
  const [lonely, sign] = isChosen[at] ? [1, -1] : [0, 1];
  let { items } = load;
  for (const each of group.classes) {
    if (around[each] === lonely) items -= sign * (problem.classes[each]?.alone ?? 0);
  }
  state.patience -= group.classes.length;
  const wildcards = load.wildcards + (group.isWildcard ? sign : 0);
  return { items: items + sign, wildcards, evicted: load.evicted + sign * group.evicted };
}

function turn(state: State, at: number, load: Load): void {
  const step = state.isChosen[at] ? -1 : 1;
  state.isChosen[at] = step === 1 ? 1 : 0;
  for (const each of state.problem.groups[at]?.classes ?? []) {
    state.around[each] = (state.around[each] ?? 0) + step;
  }
  state.load = load;
  state.weight = state.problem.weigh(load);
}
