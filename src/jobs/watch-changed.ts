import type { LivePage } from "../ledger/ledger.ts";
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
  const named = openNamed(site.origin);
  const watched: Wired = {
    ...wired,
    ledger: {
      ...ledger,
      async confirm(run, pages, beside) {
        await ledger.confirm(run, pages, beside);
        // Pages that were found as they are keep the release that put them.
        named.add(pages.filter(({ release }) => release > before));
      },
    },
  };
  return { wired: watched, pages: named.pages };
}

/** The first pages of all that were put, as a job names them. */
export function openNamed(origin: string) {
  const named = new Map<string, string | undefined>();
  return {
    add(pages: readonly Pick<LivePage, "route" | "hash">[]) {
      for (const { route, hash } of pages) {
        if (named.size < NAMED) named.set(route, hash && hexOf(hash));
      }
    },
    pages: (): JobOutcome["pages"] =>
      [...named].map(([route, digest]) => ({ url: `${origin}${route}`, digest })),
  };
}
