import type { Ledger, LivePage } from "../ledger/ledger.ts";

interface Beside {
  /** Names of the two runs. */
  readonly host: string;
  readonly own: string;
  readonly onPut: (pages: readonly LivePage[]) => void;
}

/** The ledger of a run that overtakes another: its plan is its own, what it publishes is the other's. */
export function besideLedger(ledger: Ledger, { host, own, onPut }: Beside): Ledger {
  return {
    ...ledger,
    intend: (_, ...of) => ledger.intend(host, ...of),
    async confirm(_, pages, beside) {
      await ledger.confirm(host, pages, beside);
      onPut(pages);
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
