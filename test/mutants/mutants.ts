/** One fault put into the code on purpose, which a test must notice. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Suites to ask beside the random histories: for what both sides of their comparison would have. */
  readonly suites?: readonly string[];
}

const ASSETS = "test/pipeline/assets.test.ts";
const BACKGROUND = "test/follow/background.test.ts";
const BAD_ROWS = "test/pipeline/bad-rows.test.ts";
const FAILING = "test/pipeline/failing-pages.test.ts";
const FAULTS = "test/faults/faults.test.ts";
const FENCE = "test/pipeline/replicas.test.ts";
const HEADERS = "test/pipeline/headers.test.ts";
const KILL = "test/kill/kill.test.ts";
const LOG = "test/pipeline/log.test.ts";
const LOADED = "test/plan/loaded-pages.test.ts";
const LOOK = "test/plan/look-through.test.ts";
const PHASES = "test/pipeline/phases.test.ts";
const OVERTAKE = "test/pipeline/overtake.test.ts";
const QUARANTINE = "test/pipeline/quarantine.test.ts";
const RANGES = "test/plan/ranges.test.ts";
const RACE = "test/race/race.test.ts";
const READERS = "test/readers/readers.test.ts";
const REBUILD = "test/pipeline/rebuild.test.ts";
const REDIRECTS = "test/pipeline/redirects.test.ts";
const ROUTES = "test/pipeline/routes.test.ts";
const RUNS = "test/pipeline/runs.test.ts";
const SOURCE = "test/source/sqlite-source.test.ts";
const SUMS = "test/source/mysql-ranges.test.ts";
const TEMPLATES = "test/render/templates.test.ts";
const TURNS = "test/follow/turns.test.ts";
const WINDOWS = "test/plan/windows.test.ts";

const IMAGES: readonly Mutant[] = [
  {
    name: "forget the before-image",
    file: "src/plan/changes.ts",
    find: "touched.image(list, before && knownImage(use, before), lastNow);",
    replace: "",
  },
  {
    name: "forget the after-image",
    file: "src/plan/changes.ts",
    find: "touched.image(list, row.now && knownImage(use, row.now), now);",
    replace: "",
  },
  {
    name: "judge the before-image by today's clock",
    file: "src/plan/changes.ts",
    find: "before && knownImage(use, before), lastNow)",
    replace: "before && knownImage(use, before), now)",
  },
  {
    name: "bucket of the old time not visited",
    file: "src/plan/recut.ts",
    find: "for (const [bucket, own] of buckets) {",
    replace: "for (const [bucket, own] of [...buckets].slice(-1)) {",
  },
  {
    name: "bucket of the new time not visited",
    file: "src/plan/recut.ts",
    find: "for (const [bucket, own] of buckets) {",
    replace: "for (const [bucket, own] of [...buckets].slice(0, 1)) {",
  },
  {
    name: "due rows ignored",
    file: "src/plan/compare.ts",
    find: "Buffer.compare(a.hash, b.hash) === 0 && a.dueAt === b.dueAt",
    replace: "Buffer.compare(a.hash, b.hash) === 0",
  },
];

const DIGESTS: readonly Mutant[] = [
  {
    name: "digest of a page without one declared column",
    file: "src/plan/row-pages.ts",
    find: "[seen, lastmod, tags]),",
    replace: "[pick(row, kind.see.slice(1)), lastmod, tags]),",
  },
  {
    name: "digest of a page without its last change",
    file: "src/plan/row-pages.ts",
    find: "[seen, lastmod, tags]),",
    replace: "[pick(row, kind.see.slice(0, -1)), tags]),",
  },
  {
    name: "digest of a page without its tags",
    file: "src/plan/row-pages.ts",
    find: "[seen, lastmod, tags]),",
    replace: "[seen, lastmod]),",
  },
  {
    name: "digest of a row without one declared column",
    file: "src/plan/row-state.ts",
    find: "...use.see.map((column) => row[column])];",
    replace: "...use.see.filter((column) => column !== 'body').map((column) => row[column])];",
  },
  {
    name: "digest of a row without the columns of bodies, links and tags",
    file: "src/plan/row-state.ts",
    find: "...own.flatMap(rowKindColumns), ",
    replace: "",
  },
  {
    name: "digest of a joined row without one column",
    file: "src/plan/row-state.ts",
    find: ", ...joined(kinds, table)]",
    replace: "]",
  },
  {
    name: "digest of a page without its links",
    file: "src/plan/row-pages.ts",
    find: "record(`page:$" + "{page.route}#links`, links[at]?.hrefs),",
    replace: "",
  },
  {
    name: "skip cutoff 2's headers",
    file: "src/render/render.ts",
    find: "hash: digestOf([digestOfBytes(body), headers])",
    replace: "hash: digestOf([digestOfBytes(body)])",
    suites: [HEADERS],
  },
  {
    name: "partial not in the fingerprint",
    file: "src/render/template-link.ts",
    find: "for (const next of templates.get(each)?.templates ?? []) found.add(next);",
    replace: "if (found.size === 0) found.add(each);",
    suites: [TEMPLATES],
  },
  {
    name: "asset not in the fingerprint",
    file: "src/render/template-link.ts",
    find: "sources, keys });",
    replace: "sources });",
    suites: [TEMPLATES],
  },
  {
    name: "a sitemap's own template not in the fingerprint",
    file: "src/engine.ts",
    find: "[kind.template, kind.part] : [kind.template];\n      const own = names",
    replace: "[kind.template] : [kind.template];\n      const own = names",
  },
];

const CUTS: readonly Mutant[] = [
  {
    name: "window seam off by one where a list is cut anew",
    file: "src/plan/recut.ts",
    find: "const next = found[list.cut.max]?.order",
    replace: "const next = found[list.cut.max - 1]?.order",
  },
  {
    name: "window seam off by one where a list is walked",
    file: "src/plan/windows.ts",
    find: "inWindow === list.cut.max ||",
    replace: "inWindow === list.cut.max - 1 ||",
    suites: [WINDOWS],
  },
  {
    name: "window seam off by one where a place is looked for",
    file: "src/plan/recut.ts",
    find: "    else end = middle;\n  }\n  return last;",
    replace: "    else end = middle;\n  }\n  return end;",
  },
  {
    name: "window begins after its first entry",
    file: "src/plan/list-pages.ts",
    find: "order: decodeKey(start), isInclusive: true }",
    replace: "order: decodeKey(start), isInclusive: false }",
    suites: ["test/sites/golden.test.ts"],
  },
  {
    name: "head grows by one before it has an archive",
    file: "src/plan/recut.ts",
    find: "if (places.length <= list.head) {",
    replace: "if (places.length <= list.head + 1) {",
  },
  {
    name: "a bucket's last instant not in it",
    file: "src/plan/windows.ts",
    find: "to: { order: [bucketEnd(cut.unit, bucket)], isInclusive: false }",
    replace: "to: { order: [bucketEnd(cut.unit, bucket) - 1], isInclusive: false }",
  },
  {
    name: "a bucket's first instant not in it",
    file: "src/plan/recut.ts",
    find: "return { order: [Date.UTC(year, month - 1, day) * 1000], isInclusive: true };",
    replace: "return { order: [Date.UTC(year, month - 1, day) * 1000], isInclusive: false };",
  },
  {
    name: "windows after the same seam not visited",
    file: "src/plan/recut.ts",
    find: "if (isSame && later === undefined) return steps;",
    replace: "if (isSame) return steps;",
  },
  {
    name: "windows after another seam not visited",
    file: "src/plan/recut.ts",
    find: "if (isSame && later === undefined) return steps;",
    replace: "if (later === undefined) return steps;",
  },
  {
    name: "one window too many leapt over",
    file: "src/plan/recut.ts",
    find: "await windowAt(own, later, n + 1)",
    replace: "await windowAt(own, later, n + 2)",
  },
  {
    name: "window that is empty now kept",
    file: "src/plan/recut.ts",
    find: "if (next === undefined) return [...steps, ...(await deletesFrom(own, n + 1))];",
    replace: "if (next === undefined) return steps;",
  },
  {
    name: "tie-break dropped from bounds",
    file: "src/source/sql.ts",
    find: "const columns = list.order.slice(0, at.order.length);",
    replace: "const columns = list.order.slice(0, 1);",
    suites: [SOURCE],
  },
  {
    name: "tie-break dropped from touched places",
    file: "src/plan/touched.ts",
    find: "places.set(encodeKey(order as Key)",
    replace: "places.set(encodeKey(order.slice(0, 1) as Key)",
    suites: ["test/plan/touched.test.ts"],
  },
  {
    name: "lists without a tie-break accepted",
    file: "src/site/check-list.ts",
    find: "if (missing.length > 0) {",
    replace: "if (missing.length < 0) {",
    suites: ["test/site/define.test.ts"],
  },
];

const READS: readonly Mutant[] = [
  {
    name: "absent read not recorded",
    file: "src/plan/reads.ts",
    find: "const uses = key === undefined ? [] : [readName(",
    replace: "const uses = key === undefined || row === undefined ? [] : [readName(",
  },
  {
    name: "page-existence read of a link not recorded",
    file: "src/plan/row-pages.ts",
    find: "...(links[at]?.routes ?? []).map(routeName)]",
    replace: "]",
  },
  {
    name: "page-existence read of an absent page not recorded",
    file: "src/plan/entries.ts",
    find: "routes: each.flatMap(([, route]) => route ?? []),",
    replace: "routes: each.flatMap(([, route]) => (route && existing.has(route) ? [route] : [])),",
  },
  {
    name: "page-existence read of a body not recorded",
    file: "src/plan/trace.ts",
    find: "[...uses, ...refs.map(({ route }) => routeName(route))]",
    replace: "[...uses]",
  },
  {
    name: "page-existence read of a body not compared",
    file: "src/plan/stale.ts",
    find: "existing.has(route) !== exists);",
    replace: "existing.has(route) && !exists);",
  },
  {
    name: "number of entries not counted anew",
    file: "src/plan/changes.ts",
    find: "[newestName, countName]",
    replace: "[newestName]",
  },
  {
    name: "newest read not recorded",
    file: "src/plan/reads.ts",
    find: "const uses = part === null ? [] : [newestName(read.list.name, part)];",
    replace: "const uses: Uint8Array[] = [];",
    suites: [LOADED],
  },
  {
    name: "archive of a head not recorded",
    file: "src/plan/list-pages.ts",
    find: "archive === undefined ? archiveName(kind.name, part) : routeName(head)",
    replace: "routeName(head)",
    suites: [FAILING],
  },
  {
    name: "reader entries not added",
    file: "src/pipeline/readers.ts",
    find: "if (now) added.push(",
    replace: "if (now && !old) added.push(",
  },
  {
    name: "reader entries not dropped",
    file: "src/pipeline/readers.ts",
    find: "dropped.push(...only(had, has)",
    replace: "if (!now) dropped.push(...only(had, has)",
  },
  {
    name: "reader entries of deleted pages not dropped",
    file: "src/pipeline/deletes.ts",
    find: "{ retired, ...dropped });",
    replace: "{ retired, ...dropped, dropped: [] });",
  },
  {
    name: "neighbours' reach before one too short",
    file: "src/plan/neighbours.ts",
    find: "newer[reach.before - 1]];",
    replace: "newer[reach.before - 2]];",
  },
  {
    name: "neighbours' reach after one too short",
    file: "src/plan/neighbours.ts",
    find: "const lower = reach.after === 0 ? own : from;",
    replace: "const lower = reach.after <= 1 ? own : from;",
  },
  {
    name: "entries that lead to a page that turned not touched",
    file: "src/plan/changes.ts",
    find: "await rows.placesBy(list, item.key, own)) touched.place(list, place);",
    replace: "await rows.placesBy(list, item.key, own)) void place;",
  },
  {
    name: "entries that link to a route that turned not touched",
    file: "src/plan/changes.ts",
    find: "for (const place of await rows.placesBy(list, link.columns, tuples)) {",
    replace: "for (const place of (await rows.placesBy(list, link.columns, tuples)).slice(0, 0)) {",
    suites: [FAILING],
  },
  {
    name: "the route a page left not followed",
    file: "src/plan/changes.ts",
    find: "routes: from === undefined ? [route] : [route, from]",
    replace: "routes: [route]",
    suites: [ROUTES],
  },
];

const CLOCK: readonly Mutant[] = [
  {
    name: "clock boundary: from exclusive where a row is judged",
    file: "src/site/visible.ts",
    find: "row[from] <= now)",
    replace: "row[from] < now)",
  },
  {
    name: "clock boundary: until inclusive where a row is judged",
    file: "src/site/visible.ts",
    find: "row[until] > now)",
    replace: "row[until] >= now)",
  },
  {
    name: "clock boundary: from exclusive in SQL",
    file: "src/source/sql.ts",
    find: "$" + "{name(from)} <= ?",
    replace: "$" + "{name(from)} < ?",
    suites: [SOURCE],
  },
  {
    name: "clock boundary: until inclusive in SQL",
    file: "src/source/sql.ts",
    find: "$" + "{name(until)} > ?",
    replace: "$" + "{name(until)} >= ?",
    suites: [SOURCE],
  },
  {
    name: "clock boundary: a row due at its last moment only",
    file: "src/plan/row-state.ts",
    find: "at < next)",
    replace: "at > next)",
  },
  {
    name: "a clock that was set back trusted",
    file: "src/plan/plan.ts",
    find: " && last.now <= basis.now",
    replace: "",
    suites: [REBUILD],
  },
];

const SITEMAPS: readonly Mutant[] = [
  {
    name: "sitemap seams not replanned: sitemaps that are gone kept",
    file: "src/plan/feeds.ts",
    find: "await dropParts(kind, name, { start, end, found }, context);",
    replace: "",
  },
  {
    name: "sitemap seams not replanned: only the one that a key falls into",
    file: "src/plan/feeds.ts",
    find: "if (!isFirst && live !== undefined && !(await holds(kind, name, key, keys[next], context))) {",
    replace: "if (!isFirst) {",
  },
  {
    name: "sitemap before a deleted seam not replanned",
    file: "src/plan/feeds.ts",
    find: "const before = await ledger.lastUpTo(kind.name, own.subarray(0, -1));",
    replace: "const before = own;",
  },
  {
    name: "pages that the plan deletes kept in sitemaps",
    file: "src/plan/feeds.ts",
    find: ", ...(await deletedKeys(context, name))]",
    replace: "]",
  },
  {
    name: "sitemap index not told of a new sitemap",
    file: "src/plan/feeds.ts",
    find: "if (live === undefined) await checkIndex(kind, context);",
    replace: "",
  },
  {
    name: "another last change not told to sitemaps",
    file: "src/pipeline/publish.ts",
    find: "before?.route !== page.route || before.lastmod !== page.lastmod",
    replace: "before?.route !== page.route",
  },
];

const PUBLISHING: readonly Mutant[] = [
  {
    name: "quarantined page deleted",
    file: "src/plan/exist.ts",
    find: "return found.isGone && live",
    replace: "return live",
    suites: [BAD_ROWS],
  },
  {
    name: "quarantined page not tried again",
    file: "src/plan/plan.ts",
    find: "const clashed = await planFailed(context, touched, quarantined);",
    replace: "const clashed: readonly PageId[] = [];",
    suites: [BAD_ROWS],
  },
  {
    name: "planWithout skipped",
    file: "src/plan/changes.ts",
    find: "const context = { ...all, isAgain: true, leavesFailed: true };",
    replace: "return;\n  const context = { ...all, isAgain: true, leavesFailed: true };",
    suites: [FAILING],
  },
  {
    name: "planWithout skipped where a page takes over a route",
    file: "src/pipeline/takeovers.ts",
    find: "await planWithout(context, [...missing, ...displaced]);",
    replace: "",
    suites: [ROUTES],
  },
  {
    name: "delete before its list is published",
    file: "src/pipeline.ts",
    find: 'await publishShared(run, "lists");',
    replace: 'await deletePhase(run);\n  await publishShared(run, "lists");',
  },
  {
    name: "lists published before the new pages they show",
    file: "src/pipeline.ts",
    find: "await publishNew(run);",
    replace: 'await publishPhase(run, "lists");\n  await publishNew(run);',
    suites: [PHASES],
  },
  {
    name: "replaced asset deleted at once",
    file: "src/pipeline/grace.ts",
    find: "return kind === ASSET_KIND ? stays + ASSET_GRACE : stays;",
    replace: "return stays;",
    suites: [READERS, FAILING],
  },
  {
    name: "new pages of a run that was cut off put again only with what changes",
    file: "src/pipeline.ts",
    find: "  await hastenUnlinked(run);\n",
    replace: "",
    suites: [PHASES],
  },
  {
    name: "what a run that was cut off put anew put again among pages that return",
    file: "src/pipeline/new-pages.ts",
    find: `"returning", (step) => !isUpdateInPlace(step));`,
    replace: `"returning");`,
    suites: [PHASES],
  },
  {
    name: "old copies of sitemaps that return led to",
    file: "src/pipeline.ts",
    find: "  if (hasOldFeeds) await evictOldCopies(run);\n",
    replace: "",
    suites: [PHASES],
  },
  {
    name: "new page at whose put a run was cut off put among those that return",
    file: "src/pipeline/takeovers.ts",
    find: " && object.dueAt !== UNSEEN",
    replace: "",
    suites: [PHASES],
  },
  {
    name: "what waits evicted early for pages that take over a route",
    file: "src/pipeline/old-copies.ts",
    find: `phase === "new" || phase === "returning";`,
    replace: `phase !== "feeds";`,
    suites: [PHASES],
  },
  {
    name: "takedown that deletes whatever is there",
    file: "src/pipeline/removal.ts",
    find: `if (conditions === "ignored") {`,
    replace: "{",
    suites: ["test/pipeline/takedown.test.ts"],
  },
  {
    name: "delete before what links there is invalidated",
    file: "src/pipeline.ts",
    find: "    await invalidatePhase(run);\n    // Pages of other kinds",
    replace: "    // Pages of other kinds",
    suites: [READERS],
  },
  {
    name: "invalidation not waited for until it is completed",
    file: "src/invalidate/outbox.ts",
    find: "if (!(await cdn.isCompleted(batch.invalidation))) continue;",
    replace: "",
    suites: [READERS],
  },
  {
    name: "deleted page not kept for browsers that show links to it",
    file: "src/pipeline/grace.ts",
    find: "const stays = graceSeconds(wired.site.kinds) * SECOND;",
    replace: "const stays = 0;",
    suites: [READERS],
  },
  {
    name: "assets put after pages",
    file: "src/pipeline.ts",
    find: `await publishPhase(run, "assets");
  await publishNew(run);
  await publishReturning(run, hasOldCopies);
  await publishArrivals(run);
  await publishShared(run, "changed");
  await publishShared(run, "lists");`,
    replace: `await publishNew(run);
  await publishReturning(run, hasOldCopies);
  await publishArrivals(run);
  await publishShared(run, "changed");
  await publishShared(run, "lists");
  await publishPhase(run, "assets");`,
    suites: [READERS],
  },
  {
    name: "page at a route that readers know put among the new ones",
    file: "src/pipeline/takeovers.ts",
    find: `if (owners.has(route)) return "changed";`,
    replace: "",
    suites: [READERS, PHASES],
  },
  {
    name: "page that comes back put among the new ones",
    file: "src/pipeline/takeovers.ts",
    find: `return mayBeSeen(route) ? "returning" : "new";`,
    replace: `return "new";`,
    suites: [PHASES],
  },
  {
    name: "old copies of a page that comes back linked to",
    file: "src/pipeline/old-copies.ts",
    find: `(await isReturning(run, "returning")) || (await appearsWhereChanged(run))`,
    replace: "await appearsWhereChanged(run)",
    suites: [PHASES],
  },
  {
    name: "old copies that a run which was cut off left linked to",
    file: "src/pipeline/old-copies.ts",
    find: `(await isReturning(run, "returning")) || (await appearsWhereChanged(run))`,
    replace: `await isReturning(run, "returning")`,
    suites: [PHASES],
  },
  {
    name: "what a rollback deletes gone before what links there is invalidated",
    file: "src/pipeline/rollback.ts",
    find: "  await invalidatePhase(run);\n  await deletePhase(run);",
    replace: "  await deletePhase(run);",
    suites: [READERS],
  },
  {
    name: "replaced asset kept for ever",
    file: "src/pipeline/settle.ts",
    find: "if (isDue && run.options.only === undefined) return false;",
    replace: "",
    suites: [ASSETS],
  },
];

const REDIRECTING: readonly Mutant[] = [
  {
    name: "redirect not removed when its route is reused",
    file: "src/plan/resolve.ts",
    find: "if (taken.has(route)) return end(isFirst ? undefined : { to: route });",
    replace: "if (!isFirst && taken.has(route)) return end({ to: route });",
    suites: [REDIRECTS],
  },
  {
    name: "redirect not looked at when its page moves again",
    file: "src/plan/redirects.ts",
    find: ", ...former.map(({ route }) => route)];",
    replace: "];",
    suites: [REDIRECTS],
  },
  {
    name: "redirects that lead to a page not looked at when it turns",
    file: "src/plan/redirects.ts",
    find: "const leading = await leadingTo(kind, context, next);",
    replace: "const leading = next.length > 0 ? [] : await leadingTo(kind, context, next);",
    suites: [REDIRECTS],
  },
  {
    name: "history entry of a redirect kept though its route was taken",
    file: "src/ledger/former.ts",
    find: 'yield* queryIn("DELETE FROM nb_route WHERE route IN (?)", taken);',
    replace: "",
    suites: [REDIRECTS],
  },
  {
    name: "history entry for a redirect where another page is",
    file: "src/ledger/former.ts",
    find: "left.filter(({ route }) => !taken.has(route))",
    replace: "left",
    suites: [REDIRECTS],
  },
  {
    name: "history not written for redirects",
    file: "src/pipeline/publish.ts",
    find: "if (old === undefined || !ofRows.has(old.kind)",
    replace: "if (old === undefined || ofRows.has(old.kind)",
    suites: [REDIRECTS],
  },
  {
    name: "redirects not looked at after an import",
    file: "src/plan/plan.ts",
    find: " || last.imported !== basis.imported",
    replace: "",
    suites: [REDIRECTS],
  },
  {
    name: "redirects not looked at when lines changed",
    file: "src/plan/plan.ts",
    find: "last.content !== basis.content || ",
    replace: "",
    suites: [REDIRECTS],
  },
  {
    name: "redirect to a page that is gone kept as its last good version",
    file: "src/plan/exist.ts",
    find: 'return found.isGone && live !== undefined ? [deleteStep(live, "gone")] : [];',
    replace: "return [];",
    suites: [REDIRECTS],
  },
  {
    name: "redirects not looked at after clashes",
    file: "src/plan/changes.ts",
    find: "await touchAround(context, touched, out.map(turnedPage));",
    replace: "",
    suites: [REDIRECTS],
  },
  {
    name: "redirect put before its page has arrived",
    file: "src/plan/kinds.ts",
    find: 'if (kind.is === "redirect") return "changed";',
    replace: 'if (kind.is === "redirect") return "assets";',
    suites: [PHASES],
  },
  {
    name: "redirects put after what links to them",
    file: "src/pipeline/new-pages.ts",
    find: '({ kind, action }) => kind === redirects && action === "create",',
    replace: "() => false,",
    suites: [REDIRECTS],
  },
  {
    name: "routes of redirects that fail linked to",
    file: "src/pipeline/new-pages.ts",
    find: `"changed", isNow);\n    await planWithout(context, tally.takeMissing());`,
    replace: `"changed", isNow);`,
    suites: [REDIRECTS],
  },
];

const REBUILDING: readonly Mutant[] = [
  {
    name: "places from which rebuilds sought pages not kept",
    file: "src/pipeline/open-run.ts",
    find: "onTouched: (part) => rebuilt?.add(placeIds(part)),",
    replace: "onTouched: () => {},",
    suites: [REBUILD],
  },
  {
    name: "pages that rebuilds looked at not looked at again",
    file: "src/plan/plan.ts",
    find: "if (hasRebuilt) await planRebuilt(context, touched);",
    replace: "",
    suites: [REBUILD],
  },
  {
    name: "bucket that is empty not touched",
    file: "src/plan/recut.ts",
    find: "(await liveWindow(own, n))?.start",
    replace: "undefined",
    suites: [REBUILD],
  },
  {
    name: "start of a window that failed taken for where it begins",
    file: "src/plan/recut.ts",
    find: "return isQuarantined ? undefined : page.start;",
    replace: "return page.start;",
    suites: [FAILING],
  },
  {
    name: "window left to the next build checked where it last began",
    file: "src/plan/checks.ts",
    find: "page.start !== undefined && left[n] === true",
    replace: "false",
    suites: [REBUILD],
  },
  {
    name: "updates for a page that failed kept",
    file: "src/plan/changes.ts",
    find: "isAgain: true",
    replace: "isAgain: false",
    suites: [FAILING],
  },
  {
    name: "holder of a wanted route not exported",
    file: "src/pipeline/quarantine.ts",
    find: "[...failed, ...holders]",
    replace: "[...failed]",
    suites: [QUARANTINE],
  },
];

/** What a process that dies, or a server that fails, would leave behind. */
const DYING: readonly Mutant[] = [
  {
    name: "puts not intended",
    file: "src/ledger/journal.ts",
    find: '  yield* replaceRows("nb_intent", INTENT, intents.map(encodeIntent));',
    replace: "",
    suites: [KILL],
  },
  {
    name: "puts that were cut off not doubted",
    file: "src/pipeline/settle.ts",
    find: "  await doubt(run, intents);",
    replace: "",
    suites: [KILL],
  },
  {
    name: "object of a new page that was cut off not retired",
    file: "src/pipeline/doubt.ts",
    find: "  await ledger.retire(run.context.run, created, { retired });",
    replace: "",
    suites: [RUNS],
  },
  {
    name: "remains of cut off puts left in a folder",
    file: "src/pipeline/settle.ts",
    find: "  await store.removeRemains(intents.map(({ route }) => address(route).key));",
    replace: "",
    suites: [KILL],
  },
  {
    name: "batch sent under another name each time",
    file: "src/invalidate/outbox.ts",
    find: "await cdn.send(batch)",
    replace: "await cdn.send({ ...batch, id: crypto.randomUUID() })",
    suites: [KILL],
  },
  {
    name: "publishing not held by a rollback",
    file: "src/pipeline/rollback.ts",
    find: "  await hold(wired.ledger, { release, since: now });",
    replace: "",
    suites: [KILL],
  },
  {
    name: "run that was cut off not noticed",
    file: "src/pipeline/begin.ts",
    find: "isCutOff: notes.get(FINISHER) !== publisher,",
    replace: "isCutOff: notes.get(FINISHER) === undefined,",
    suites: [KILL],
  },
  {
    name: "keys that S3 kept taken for deleted",
    file: "src/publish/s3-deletes.ts",
    find: "if (kept.length > 0) throw keptObjects(kept, { bucket, base });",
    replace: "",
    suites: [FAULTS],
  },
  {
    name: "another hand's object left in caches",
    file: "src/pipeline/expectations.ts",
    find: "await ledger.recall([routeOfKey(key)]);",
    replace: ";",
    suites: [FAULTS],
  },
  {
    name: "another hand's object taken for our own",
    file: "src/publish/put-expecting.ts",
    find: "found !== undefined && isOwn(found, artifact, id)",
    replace: "found !== undefined",
    suites: [FAULTS],
  },
];

/** What publishers that overlap would do to each other. */
const RACING: readonly Mutant[] = [
  {
    name: "requests that outlive their claim",
    file: "src/pipeline/claimant.ts",
    find: "      return lastMs();",
    replace: "      return lastMs() + 3_600_000;",
    suites: [RACE],
  },
  {
    name: "claim taken from a run that has it",
    file: "src/ledger/claim.ts",
    find: "if (holder !== run && expiresMs > nowMs) throw heldBy(holder, expiresMs);",
    replace: "",
    suites: ["test/ledger/sqlite.test.ts"],
  },
];

/** What lets older rows through than an editor has committed. */
const REPLICAS: readonly Mutant[] = [
  {
    name: "replicas read without a barrier",
    file: "src/source/readers.ts",
    find: "if (await flavour.reaches(patient, position, left / 1000)) return;",
    replace: "if ((await flavour.reaches(patient, position, 0)) !== undefined) return;",
    suites: [FENCE],
  },
  {
    name: "barrier at a position from before",
    file: "src/source/flavour-mariadb.ts",
    find: "return named(log || current);",
    replace: 'return named("0-1-1" || log || current);',
    suites: [FENCE],
  },
  {
    name: "a wait that came too late taken for reached",
    file: "src/source/flavour-mariadb.ts",
    find: "return result !== null && Number(result) === 0;",
    replace: "return result !== null;",
    suites: ["test/source/readers.test.ts"],
  },
  {
    name: "what stands in the primary's log taken for visible",
    file: "src/source/flavour-mariadb.ts",
    find: "      if (isShown) return true;",
    replace: "      if (isShown || end !== null) return true;",
    suites: ["test/source/flavour.test.ts"],
  },
  {
    name: "a replica taken for the primary",
    file: "src/source/flavour-mariadb.ts",
    find: "const isPrimary = Number(isReadOnly) === 0 && Number(running ?? 0) === 0;",
    replace: "const isPrimary = true;",
    suites: ["test/source/readers.test.ts"],
  },
  {
    name: "a run that ends with the server that it reads",
    file: "src/pipeline/again.ts",
    find: "if (!isLost || !isAgain || run === MAX_RUNS || !mayRepeat(options)) throw error;",
    replace: "throw error;",
    suites: [FENCE],
  },
];

const LOGGED: readonly Mutant[] = [
  {
    name: "a build that trusts the log of another database",
    file: "src/pipeline/log.ts",
    find: "if (before?.of !== log.of) return false;",
    replace: "if (before === undefined) return false;",
    suites: [LOG],
  },
  {
    name: "a log that cannot be read taken for one without changes",
    file: "src/pipeline/log.ts",
    find: "return told.changes?.length === 0;",
    replace: "return (told.changes?.length ?? 0) === 0;",
    suites: [LOG],
  },
  {
    name: "a server that was set up anew taken for one without changes",
    file: "src/source/told-between.ts",
    find: "if (after === upTo) return { changes: [] };",
    replace: "if (covers(after, upTo)) return { changes: [] };",
    suites: [LOG],
  },
  {
    name: "due rows left alone where the log tells of no change",
    file: "src/plan/plan.ts",
    find: "return { changed: await seeDue(uses, context), isScanned: false };",
    replace: "return { changed: 0, isScanned: false };",
    suites: [LOG],
  },
  {
    name: "a position noted by a rebuild",
    file: "src/pipeline/log.ts",
    find: "const value = newNote(run) ?? run.context.notes.get(SHOWN);",
    replace: "const value = newNote(run);",
    suites: [LOG],
  },
  {
    name: "bad rows told by the first build only",
    file: "src/pipeline/log.ts",
    find: "if (!isWhole(options) || tally.hasBadRows()) return undefined;",
    replace: "if (!isWhole(options)) return undefined;",
    suites: [LOG],
  },
  {
    name: "rows that wait to be published taken for missed",
    file: "src/pipeline/missed.ts",
    find: "if (!isSame && !told[at]) yield row;",
    replace: "if (!isSame) yield row;",
    suites: [LOG],
  },
  {
    name: "what the clock changed taken for missed",
    file: "src/pipeline/missed.ts",
    find: "if (!isSame && !told[at]) yield row;",
    replace: "if (!told[at]) yield row;",
    suites: [LOG],
  },
  {
    name: "what was told while the follower was down taken for missed",
    file: "src/pipeline/missed.ts",
    find: "if (told.changes !== undefined) return hearing(told.changes);",
    replace: "if (told.changes !== undefined) return hearing([]);",
    suites: [LOG],
  },
];

const LANES: readonly Mutant[] = [
  {
    name: "a follower that reads replicas without a barrier",
    file: "src/source/readers.ts",
    find: "if (await flavour.reaches(patient, position, left / 1000)) return;",
    replace: "if ((await flavour.reaches(patient, position, 0)) !== undefined) return;",
    suites: ["test/follow/servers.test.ts"],
  },
  {
    // Some rounds: ROUNDS=10 npm run test:mutants told
    name: "what was told taken off before it is published",
    file: "src/follow/publish-told.ts",
    find: "const { deleted } = await inTurn(",
    replace: "await ledger.heed(told);\n    const { deleted } = await inTurn(",
    suites: ["test/follow/random.test.ts"],
  },
  {
    name: "a mass update before an editor's change",
    file: "src/follow/turns.ts",
    find: "const isShare = urgentTurns >= URGENT_TURNS;",
    replace: "const isShare = true;",
    suites: [BACKGROUND, TURNS],
  },
  {
    name: "a background that starves",
    file: "src/follow/turns.ts",
    find: "const isShare = urgentTurns >= URGENT_TURNS;",
    replace: "const isShare = false;",
    suites: [TURNS],
  },
  {
    name: "keys to compare forgotten after the first turn",
    file: "src/follow/compare-told.ts",
    find: 'return [...found, { table, lane: "compare", key: rest.after, upTo, committedAt }];',
    replace: "return found;",
    suites: ["test/follow/compare-told.test.ts"],
  },
  {
    name: "pages of a row that was another for a moment not looked at after a comparison",
    file: "src/follow/compare-told.ts",
    find: 'if (told.every(({ lane }) => lane !== "compare")) await lookAgain?.();',
    replace: "void lookAgain;",
    suites: ["test/follow/compare-told.test.ts"],
  },
  {
    name: "rows that are gone behind the last one not looked for",
    file: "src/plan/look-through.ts",
    find: "if (last !== undefined) from = encodeKey(last);",
    replace: "if (last === undefined) break;\n        from = encodeKey(last);",
    suites: [LOOK],
  },
  {
    name: "slices of a mass delete each judged alone",
    file: "src/follow/publish-told.ts",
    find: 'deletedBefore: lane === "bulk" ? await mass.deleted() : 0,',
    replace: "deletedBefore: 0,",
    suites: [BACKGROUND],
  },
];

const SUMMING: readonly Mutant[] = [
  {
    name: "sums of values without their lengths",
    file: "src/source/mysql-ranges.ts",
    find: "CONCAT(LENGTH($" + "{column}), ':', CAST($" + "{column} AS BINARY))",
    replace: "CONCAT(CAST($" + "{column} AS BINARY), ';')",
    suites: [SUMS],
  },
  {
    name: "sums that take NULL for an empty text",
    file: "src/source/mysql-ranges.ts",
    find: "AS BINARY)), 'N')`;",
    replace: "AS BINARY)), '0:')`;",
    suites: [SUMS],
  },
  {
    name: "sums that cancel themselves out",
    file: "src/source/mysql-ranges.ts",
    find: "return `HEX(BIT_XOR(CAST(CONV(LEFT($" + "{row}, 16), 16, 10) AS UNSIGNED)))`;",
    replace: "return row && `BIT_XOR(CRC32(CONCAT($" + "{values})))`;",
    suites: [SUMS],
  },
  {
    name: "sums of bytes, whatever text they are",
    file: "src/source/mysql-ranges.ts",
    find: '.join(" ");',
    replace: ".length;",
    suites: [SUMS],
  },
  {
    name: "ranges without the row at their end",
    file: "src/source/sql.ts",
    find: 'bound("<=", range.upTo)',
    replace: 'bound("<", range.upTo)',
    suites: [SUMS],
  },
  {
    name: "ranges with the row before them",
    file: "src/source/sql.ts",
    find: '...bound(">", range.after)',
    replace: '...bound(">=", range.after)',
    suites: [SUMS],
  },
  {
    name: "checksums that outlive what a rebuild found",
    file: "src/ledger/known.ts",
    find: "const other = rows.filter(({ now }, at) => !hasHash(known[at], now));",
    replace: "const other = rows.slice(rows.length);",
    suites: [RANGES],
  },
  {
    name: "checksums lost by a build with nothing to do",
    file: "src/pipeline/report.ts",
    find: "if (planned.isScanned && !planned.isNew) {",
    replace: "if (planned.isScanned && planned.isNew) {",
    suites: ["test/pipeline/ranges.test.ts"],
  },
  {
    name: "checksums from before another's release",
    file: "src/ledger/ranges.ts",
    find: "if (yield* isLast(release)) yield* keepRanges(run);",
    replace: "if (release > 0) yield* keepRanges(run);",
    suites: ["test/ledger/sqlite.test.ts"],
  },
  {
    name: "checksums of ranges that became longer",
    file: "src/plan/ranges.ts",
    find: "if (open !== undefined) gone.push(start);",
    replace: "",
    suites: [RANGES],
  },
  {
    name: "checksums of ranges with bad rows",
    file: "src/plan/ranges.ts",
    find: "checksum: hasFailed ? undefined : sums[at]?.checksum",
    replace: "checksum: sums[at]?.checksum",
    suites: [RANGES],
  },
  {
    name: "rows that are due in ranges that sum up to the same",
    file: "src/plan/plan.ts",
    find: "trustsSums && context.rows.ranges !== undefined ? await seeDue(uses, context) : 0",
    replace: "0",
    suites: [RANGES],
  },
  {
    name: "rows that are known beyond the end of a range",
    file: "src/plan/compare.ts",
    find: "rows.filter(({ key }) => !this.#isBeyond(key))",
    replace: "rows.slice()",
    suites: [RANGES],
  },
  {
    name: "checksums of rows that are read otherwise",
    file: "src/plan/ranges.ts",
    find: "digestOf([reading, text])",
    replace: "digestOf([text])",
    suites: [RANGES],
  },
];

/** All of them, grouped by what they make the builder forget. */
const OVERTAKING: readonly Mutant[] = [
  {
    name: "what changed while a build published left to the next",
    file: "src/pipeline/closing.ts",
    find: "if (next?.release === undefined) break;",
    replace: "break;",
    suites: ["test/pipeline/closing.test.ts"],
  },
  {
    name: "steps of a batch put although others have put those pages meanwhile",
    file: "src/pipeline/publish.ts",
    find: " && run.overtakes?.isOld(step) !== true",
    replace: "",
    suites: [OVERTAKE],
  },
  {
    name: "what others looked at left in the plan of the run that they overtook",
    file: "src/pipeline/overtake.ts",
    find: "  await ledger.unstage(plan, undone);\n",
    replace: "",
    suites: [OVERTAKE],
  },
  {
    name: "older pages planned again after others have put newer ones",
    file: "src/pipeline/overtakes.ts",
    find: "stage(steps.filter((step) => !isOld(step))),",
    replace: "stage(steps),",
    suites: [OVERTAKE],
  },
  {
    name: "who overtakes unaware of what the run has found of the rows",
    file: "src/pipeline/open-run.ts",
    find: "keys.map((_, at) => [own[at] ?? [], others[at] ?? []].flat())",
    replace: "keys.map(() => [])",
    suites: [OVERTAKE],
  },
  {
    name: "who overtakes unaware of how the run is about to cut lists",
    file: "src/pipeline/overtake.ts",
    find: "  await context.ledger.stage(context.run, turns);\n",
    replace: "",
    suites: ["test/pipeline/shards.test.ts"],
  },
  {
    name: "deletes that follow from newer rows forgotten",
    file: "src/pipeline/overtake.ts",
    find: "  await host.overtakes?.leave(deletes);\n",
    replace: "",
    suites: [OVERTAKE],
  },
  {
    name: "no second look at what was overtaken",
    file: "src/plan/plan.ts",
    find: "options.looksAgain ?? !isRebuild",
    replace: "!isRebuild",
    suites: [OVERTAKE],
  },
  {
    name: "sitemaps without what others put",
    file: "src/pipeline.ts",
    find: `feeds === "none" && run.overtakes !== undefined ? "touched" : feeds`,
    replace: "feeds",
    suites: [OVERTAKE],
  },
];

export const MUTANTS: readonly Mutant[] = [
  ...IMAGES,
  ...OVERTAKING,
  ...DIGESTS,
  ...CUTS,
  ...READS,
  ...CLOCK,
  ...SITEMAPS,
  ...PUBLISHING,
  ...REDIRECTING,
  ...REBUILDING,
  ...DYING,
  ...RACING,
  ...REPLICAS,
  ...SUMMING,
  ...LOGGED,
  ...LANES,
];
