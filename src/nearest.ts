/**
 * Finds the name that was probably meant: the one fewest edits away, the first of equals.
 * Undefined when even that one has more than a third of its letters wrong.
 */
export function nearest(wrong: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const edits = editDistance(wrong.toLowerCase(), name.toLowerCase());
    if (edits < fewest && edits <= Math.max(1, name.length / 3)) {
      best = name;
      fewest = edits;
    }
  }
  return best;
}

/** ` Did you mean "build"?`, or nothing when no name comes near. */
export function didYouMean(wrong: string, names: Iterable<string>): string {
  const name = nearest(wrong, names);
  return name === undefined ? "" : ` Did you mean ${name}?`;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row += 1) {
    const here = [row];
    for (let at = 1; at <= b.length; at += 1) {
      const isSame = a[row - 1] === b[at - 1];
      const isSwap = a[row - 1] === b[at - 2] && a[row - 2] === b[at - 1];
      const replaced = (above[at - 1] ?? 0) + (isSame ? 0 : 1);
      const swapped = isSwap ? (before[at - 2] ?? 0) + 1 : replaced;
      here.push(Math.min((above[at] ?? 0) + 1, (here[at - 1] ?? 0) + 1, replaced, swapped));
    }
    before = above;
    above = here;
  }
  return above[b.length] ?? 0;
}
