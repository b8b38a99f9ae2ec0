import type { Wired } from "../pipeline.ts";
import { hexOf } from "../site.ts";
import type { JobOutcome } from "./job.ts";

/** Pages that a job names; of the others it gives the number. */
const NAMED = 100;

/** The parts of a pipeline, and the first of the pages that their runs put from now on. */
export async function watchChanged(
  wired: Wired,
): Promise<{ readonly wired: Wired; readonly pages: () => JobOutcome["pages"] }> {
  const { ledger, site } = wired;
  const before = await ledger.release();
  const named = new Map<string, string | undefined>();
  const watched: Wired = {
    ...wired,
    ledger: {
      ...ledger,
      async confirm(run, pages, beside) {
        await ledger.confirm(run, pages, beside);
        // Pages that were found as they are keep the release that put them.
        for (const { route, hash, release } of pages) {
          if (release > before && named.size < NAMED) named.set(route, hash && hexOf(hash));
        }
      },
    },
  };
  const pages = () =>
    [...named].map(([route, digest]) => ({ url: `${site.origin}${route}`, digest }));
  return { wired: watched, pages };
}
