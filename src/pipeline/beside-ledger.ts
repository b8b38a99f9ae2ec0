import type { Ledger } from "../ledger/ledger.ts";

/** The ledger of a run that overtakes another: its plan is its own, what it publishes is the other's. */
export function besideLedger(ledger: Ledger, { host, own }: { host: string; own: string }): Ledger {
  return {
    ...ledger,
    intend: (_, ...of) => ledger.intend(host, ...of),
    async confirm(_, pages, beside) {
      await ledger.confirm(host, pages, beside);
      await ledger.unstage(own, pages);
    },
    doubt: (_, ...of) => ledger.doubt(host, ...of),
    cameLate: (_, ...of) => ledger.cameLate(host, ...of),
    async retire(_, ids, beside) {
      await ledger.retire(host, ids, beside);
      await ledger.unstage(own, ids);
    },
    freeze: (frozen) => ledger.freeze({ ...frozen, run: host }),
  };
}
