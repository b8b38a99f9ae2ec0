import { PipelineError, type Problem } from "../error.ts";
import type { Quarantined } from "../ledger/ledger.ts";
import { storedArtifact } from "../render/render.ts";
import { address, foldRoute, isSamePage, pageName, type Step } from "../site.ts";
import { begin, TABLES } from "./begin.ts";
import { tie } from "./expectations.ts";
import { checkHeld } from "./hold.ts";
import type { Made } from "./make.ts";

import { openRun } from "./open-run.ts";
import { publishMade } from "./publish.ts";
import { fromLine, type QuarantineLine } from "./quarantine-line.ts";
import type { BuildOptions, Run, Wired } from "./run.ts";
import { settle } from "./settle.ts";

/** Problems of one import that are told. */
const MAX_PROBLEMS = 20;
/** Pages between two commits of the ledger. */
const BATCH = 200;

/**
 * Publishes what `exportQuarantine` gave: each page is live as it was, and the next build, which
 * looks at every page, keeps those that still fail, replaces those that do not and deletes those
 * whose rows are gone. All lines are checked before anything is put. What is taken down is left out.
 * Safe to run again.
 * @returns how many pages there are
 * @throws PipelineError `input_invalid` with the first bad lines and their numbers
 */
export async function importQuarantine(
  wired: Wired,
  lines: AsyncIterable<string> | Iterable<string>,
  { file, ...options }: Omit<BuildOptions, "isDryRun" | "allowDeletes"> & { readonly file: string },
): Promise<number> {
  const read = await readLines(wired, lines, file);
  const bars = await wired.ledger.barred(read);
  const pages = read.filter((_, at) => bars[at] === undefined);
  if (pages.length === 0) return 0;
  const now = (options.now ?? (() => Date.now() * 1000))();
  const asked = { ...options, allowDeletes: true, isDryRun: false };
  await using begun = await begin(wired, { now, allowDeletes: true });
  checkHeld(begun.notes);
  await using run = openRun(wired, asked, begun);
  await settle(run, begun);
  await run.claim();
  if (!begun.isStoreTrusted) await tie(run);
  for (let at = 0; at < pages.length; at += BATCH) {
    await run.goOn();
    await publishMade(run, pages.slice(at, at + BATCH).map(madeOf));
  }
  const failed = pages.flatMap(quarantined);
  await wired.ledger.quarantine(failed, [], now);
  await finishImport(run, pages.length, begun.tables.before);
  return pages.length;
}

/** No run finished what this one began, so the next build looks at every page. */
async function finishImport(
  { wired, context, release, startedAt }: Run,
  imported: number,
  tables: string | undefined,
): Promise<void> {
  const report = JSON.stringify({ release, imported });
  const finished = { id: release, startedAt, finishedAt: startedAt, report };
  const notes = tables === undefined ? {} : { [TABLES]: tables };
  await wired.ledger.finish(context.run, finished, notes);
}

function madeOf(line: QuarantineLine): Made {
  const { kind, key, route, start, lastmod, body, headers } = line;
  const reason = "imported";
  const step: Step = {
    ...{ kind, key, route, start, reason },
    phase: "new",
    action: "create",
    from: undefined,
  };
  const artifact = storedArtifact(address(route).key, body, headers);
  const trace = { reads: [], uses: [], refs: [] };
  return { step, artifact, trace, lastmod, broken: 0 };
}

function quarantined({ kind, key, error }: QuarantineLine): readonly Quarantined[] {
  if (error === undefined) return [];
  const { code, message, at } = error;
  return [{ kind, key, code, message, at: JSON.stringify(at) }];
}

async function readLines(
  wired: Wired,
  lines: AsyncIterable<string> | Iterable<string>,
  file: string,
): Promise<readonly QuarantineLine[]> {
  const pages: QuarantineLine[] = [];
  const problems: Problem[] = [];
  const [names, routes] = [new Set<string>(), new Set<string>()];
  let n = 0;
  for await (const text of lines) {
    n += 1;
    if (text.trim() === "") continue;
    const line = fromLine(text, wired.site);
    const flaw = typeof line === "string" ? line : await clash(wired, line, { names, routes });
    if (flaw !== undefined) problems.push({ place: `${file}:${n}`, message: flaw });
    else if (typeof line !== "string") pages.push(line);
    if (problems.length === MAX_PROBLEMS) break;
  }
  if (problems.length === 0) return pages;
  throw new PipelineError("input_invalid", "The quarantine cannot be read; nothing changed.", {
    hint: "Import what `nightbake quarantine export FILE` wrote, before the first build.",
    problems,
  });
}

/** A page may be imported twice; what a build has put since is never replaced by something older. */
async function clash(
  { ledger, store }: Wired,
  line: QuarantineLine,
  { names, routes }: { readonly names: Set<string>; readonly routes: Set<string> },
): Promise<string | undefined> {
  const route = store.foldsCase ? foldRoute(line.route) : line.route;
  if (names.has(pageName(line))) return "There is another line for this page.";
  if (routes.has(route)) return `There is another line for ${line.route}.`;
  names.add(pageName(line));
  routes.add(route);
  const [live] = await ledger.pages([line]);
  const { hash } = madeOf(line).artifact;
  if (live?.hash !== undefined && !hash.equals(live.hash)) {
    return `The page is live already, since release ${live.release}.`;
  }
  const owners = await ledger.liveFolded([line.route]);
  const owner = owners.find(
    (page) => !isSamePage(page, line) && (store.foldsCase || page.route === line.route),
  );
  return owner === undefined ? undefined : `The route ${line.route} is another live page's.`;
}
