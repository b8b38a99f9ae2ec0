import type { RunEvent } from "../events.ts";
import type { Viewer } from "../invalidate/viewer.ts";
import { interrupted } from "../pipeline/begin.ts";
import { openProgress, type Progress } from "../pipeline/progress.ts";
import type { Wired } from "../pipeline/run.ts";
import { type Checked, type Finding, FLAWS, type Flaw } from "./finding.ts";
import type { ListedPage, Suspect } from "./listing.ts";
import { recheck } from "./recheck.ts";
import { readPages } from "./sample.ts";

export type Inspected = Pick<Wired, "ledger" | "store" | "slots">;

export interface InspectOptions {
  /** Where the pages that are read are fetched, too. */
  readonly edge?: Viewer | undefined;
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
  /** Told of each finding; awaited, so that whoever acts on it is not outrun. */
  readonly onFindings: (findings: readonly Finding[]) => void | Promise<void>;
}

/** Looks closely at what is given to it, tells what it finds and counts. */
export interface Inspection {
  readonly progress: Progress;
  /** @throws PipelineError `interrupted` */
  goOn(): void;
  /** Objects of which listing and ledger disagree. */
  lookAgain(suspects: readonly Suspect[]): Promise<void>;
  /** Reads bodies and headers. */
  read(pages: readonly ListedPage[]): Promise<void>;
  /** So far. */
  counts(): Omit<Checked, "listed" | "pages">;
}

/** Pages read at a time. */
const BATCH = 100;

export function openInspection(
  wired: Inspected,
  { edge, signal, emit, onFindings }: InspectOptions,
): Inspection {
  const progress = openProgress(emit);
  const found = Object.fromEntries(FLAWS.map((flaw) => [flaw, 0])) as Record<Flaw, number>;
  const sums = { read: 0, fetched: 0, waiting: 0 };
  const goOn = () => {
    if (signal.aborted) throw interrupted();
  };
  const tell = async (findings: readonly Finding[]) => {
    for (const { flaw } of findings) found[flaw] += 1;
    if (findings.length > 0) await onFindings(findings);
  };
  const lookAgain = async (suspects: readonly Suspect[]) => {
    goOn();
    if (suspects.length === 0) return;
    const { findings, waiting } = await recheck(wired, suspects);
    sums.waiting += waiting;
    await tell(findings);
  };
  return {
    progress,
    goOn,
    lookAgain,
    async read(pages) {
      for (let at = 0; at < pages.length; at += BATCH) {
        goOn();
        const some = pages.slice(at, at + BATCH);
        const { findings, suspects, waiting, fetched } = await readPages(wired, some, edge);
        sums.read += some.length;
        sums.fetched += fetched;
        sums.waiting += waiting;
        await tell(findings);
        await lookAgain(suspects);
        progress.add(some.length);
      }
    },
    counts: () => ({ ...sums, found }),
  };
}
