import { PipelineError } from "../error.ts";
import type { Failure } from "../plan/context.ts";
import { ASSET_KIND, loadPages } from "../plan/kinds.ts";
import { plannedRoutes } from "../plan/planned.ts";
import { isLoaded } from "../plan/stale.ts";
import type { Trace } from "../plan/trace.ts";
import { assetArtifact, type Draft, draft, render } from "../render/render.ts";
import { type Artifact, decodeKey, keyName, type LoadedPage, type Step } from "../site.ts";
import { openBodies } from "./bodies.ts";
import type { Run } from "./run.ts";

/** An artifact and what the ledger will know of it. */
export interface Made {
  readonly step: Step;
  readonly artifact: Artifact;
  readonly trace: Trace;
  /** µs */
  readonly lastmod: number | undefined;
  /** Links in its bodies that lead to no route. */
  readonly broken: number;
  /** A version of the object that the store copies; the artifact has no body then. */
  readonly copyOf?: string;
  /** Of the body that is copied. */
  readonly bytes?: number;
}

/** Makes the artifacts of steps of one kind; leaves out those that it told the tally of. */
export type Maker = (run: Run, kind: string, steps: readonly Step[]) => Promise<readonly Made[]>;

/** Makes pages from rows, templates and content: what every build does. */
export const make: Maker = async (run, kindName, steps) => {
  if (kindName === ASSET_KIND) return makeAssets(run, steps);
  const kind = run.wired.site.kinds.find(({ name }) => name === kindName);
  if (kind === undefined) return [];
  const pages = await loadPages(kind, run.context, steps);
  const bodies = await openBodies(run.wired, pages.filter(isLoaded));
  const drafts = pages.map((page) =>
    attempt(run, page, (good) => draft(good, (name) => bodies.body(good, name))),
  );
  await bodies.keep();
  const links = new Set(drafts.flatMap((each) => each?.links ?? []));
  const exists = links.size === 0 ? links : await plannedRoutes(run.context, [...links]);
  return drafts.flatMap((each, at) => {
    const step = steps[at];
    return each === undefined || step === undefined ? [] : makePage(run, step, each, exists);
  });
};

function makePage(run: Run, step: Step, each: Draft, exists: ReadonlySet<string>): Made[] {
  const rendered = attempt(run, each.page, () => render(each, exists, run.wired));
  if (rendered === undefined) return [];
  const { page, artifact, refs } = rendered;
  const { reads, uses } = page;
  const trace = { reads, uses, refs };
  const broken = refs.filter((ref) => !ref.exists).length;
  return [{ step, artifact, trace, lastmod: page.lastmod, broken }];
}

/** One page's expected failure is a value; anything else is a bug and ends the run. */
function attempt<T>(
  run: Run,
  page: LoadedPage | Failure,
  make: (page: LoadedPage) => T,
): T | undefined {
  if (!isLoaded(page)) {
    run.tally.fail(page);
    return undefined;
  }
  try {
    return make(page);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    const { kind, key } = page;
    run.tally.fail({ page: { kind, key }, error: placed(run, page, error) });
    return undefined;
  }
}

/** The same error with the page it is about, and the row that the page is of. */
function placed({ wired }: Run, page: LoadedPage, error: PipelineError): PipelineError {
  const { message, hint, cause, problems } = error;
  const kind = wired.site.kinds.find(({ name }) => name === page.kind);
  const row =
    kind?.is === "row" ? { table: kind.table.name, key: keyName(decodeKey(page.key)) } : {};
  const at = { kind: page.kind, route: page.route, ...row, ...error.at };
  const details = { at, cause, problems, ...(hint === undefined ? {} : { hint }) };
  return new PipelineError(error.code, message, details);
}

function makeAssets({ wired }: Run, steps: readonly Step[]): Made[] {
  const byName = new Map(wired.assets.map((asset) => [asset.name, asset]));
  return steps.flatMap((step) => {
    const asset = byName.get(String(decodeKey(step.key)[0]));
    if (asset === undefined) return [];
    const trace = { reads: [], uses: [], refs: [] };
    return [{ step, artifact: assetArtifact(asset), trace, lastmod: undefined, broken: 0 }];
  });
}
