import fc from "fast-check";
import type { ChangedObject } from "../../src/invalidate/changed.ts";
import { address } from "../../src/site.ts";
import type { Live } from "./changes.ts";

/** What a random run left: what is live, what changed, and every copy that the edge may hold. */
export interface History {
  readonly live: readonly Live[];
  readonly changed: readonly ChangedObject[];
  readonly copies: readonly Copy[];
}

/** A copy at the edge, under one form of its address. */
export interface Copy {
  readonly route: string;
  readonly path: string;
  readonly tags: readonly string[];
  readonly is: "old" | "changed" | "unchanged";
}

const FOLDERS = ["/", "/a/", "/a/b/", "/A/", "/a+b/", "/a%2Bb/", "/é/", "/c/"];
const TAGS = ["red", "green", "blue", "author-ann"];

const tags = fc.subarray(TAGS);
const start = fc.record({
  folder: fc.constantFrom(...FOLDERS),
  isFile: fc.boolean(),
  kind: fc.constantFrom("kind", "other"),
  tags,
});
const step = fc.record({
  at: fc.nat({ max: 29 }),
  does: fc.constantFrom("edit", "edit", "edit", "retag", "delete", "create", "move"),
  tags,
});

/** Pages in a few folders, and up to 40 changes of them: some of the same page, some of its route's next owner. */
export const histories: fc.Arbitrary<History> = fc
  .tuple(
    fc.array(start, { minLength: 1, maxLength: 30 }),
    fc.array(step, { minLength: 1, maxLength: 40 }),
  )
  .map(([pages, steps]) => play(pages, steps));

type Start = typeof start extends fc.Arbitrary<infer T> ? T : never;
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function play(pages: readonly Start[], steps: readonly Step[]): History {
  const routes = pages.map(({ folder, isFile }, n) => `${folder}p${n}${isFile ? ".xml" : "/"}`);
  const live = new Map(pages.map((page, n) => [routes[n] ?? "", tagsOf(n, page.kind, page.tags)]));
  const changed: ChangedObject[] = [];
  const old: Live[] = [];
  const put = (route: string, after: readonly string[] | undefined) => {
    const before = live.get(route);
    if (before === undefined && after === undefined) return;
    if (before !== undefined) old.push({ route, tags: before });
    changed.push({ route, before, after });
    if (after === undefined) live.delete(route);
    else live.set(route, after);
  };
  for (const [n, { at, does, tags: others }] of steps.entries()) {
    const route = routes[at % routes.length] ?? "";
    const [own, kind = "kind"] = live.get(route) ?? [];
    const now = [own ?? `new-${n}`, kind, ...others];
    if (does === "edit") put(route, live.get(route) ?? now);
    else if (does === "retag") put(route, now);
    else if (does === "create") put(route, tagsOf(100 + n, kind, others));
    else put(route, undefined);
    // The page lives on elsewhere, and keeps its own tag.
    if (does === "move" && own !== undefined) put(`/c/moved${n}/`, now);
  }
  const touched = new Set(changed.map(({ route }) => route));
  const all = [...live].map(([route, own]) => ({ route, tags: own }));
  const isNow = ({ route }: Live) => (touched.has(route) ? "changed" : "unchanged");
  return {
    live: all,
    changed,
    copies: [
      ...old.flatMap((each) => copiesOf(each, "old")),
      ...all.flatMap((each) => copiesOf(each, isNow(each))),
    ],
  };
}

function tagsOf(id: number, kind: string, others: readonly string[]): readonly string[] {
  return [`page-${id}`, kind, ...others];
}

function copiesOf({ route, tags: own }: Live, is: Copy["is"]): readonly Copy[] {
  return address(route).invalidations.map((path) => ({ route, path, tags: own, is }));
}
