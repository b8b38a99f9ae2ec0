import { describe, test } from "vitest";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { describeAdopted } from "./contract-adopted.ts";
import { describeBars } from "./contract-bars.ts";
import { describeClaims } from "./contract-claims.ts";
import { describeFormer } from "./contract-former.ts";
import { describeJobs } from "./contract-jobs.ts";
import { describeJournal } from "./contract-journal.ts";
import { describeLingering } from "./contract-lingering.ts";
import { describeOutbox } from "./contract-outbox.ts";
import { describePages } from "./contract-pages.ts";
import { describePast } from "./contract-past.ts";
import { describePlans } from "./contract-plans.ts";
import { describeRanges } from "./contract-ranges.ts";
import { describeRows } from "./contract-rows.ts";
import { describeShards } from "./contract-shards.ts";
import { describeTicks } from "./contract-ticks.ts";
import { describeTokens } from "./contract-tokens.ts";
import { describeTold } from "./contract-told.ts";
import type { Place } from "./fixtures.ts";

/** Runs a test on a new ledger, and closes it. */
export type LedgerTest = (
  name: string,
  body: (ledger: Ledger, place: Place) => Promise<void>,
) => void;

/** What every Ledger must do. `newPlace` gives room for an empty ledger each time it is called. */
export function describeLedger(adapter: string, newPlace: () => Promise<Place>): void {
  const ledgerTest: LedgerTest = (name, body) =>
    test(name, async () => {
      const place = await newPlace();
      await using ledger = await place.open();
      await body(ledger, place);
    });
  describe(`${adapter} as a Ledger`, () => {
    describePages(ledgerTest);
    describePlans(ledgerTest);
    describeClaims(ledgerTest);
    describeJournal(ledgerTest);
    describeOutbox(ledgerTest);
    describeRows(ledgerTest);
    describeRanges(ledgerTest);
    describeFormer(ledgerTest);
    describePast(ledgerTest);
    describeBars(ledgerTest);
    describeAdopted(ledgerTest);
    describeLingering(ledgerTest);
    describeTold(ledgerTest);
    describeTokens(ledgerTest);
    describeTicks(ledgerTest);
    describeJobs(ledgerTest);
    describeShards(ledgerTest);
  });
}
