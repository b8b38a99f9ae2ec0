import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openSqliteCache } from "../../src/cache/sqlite-cache.ts";
import { openCloudFront } from "../../src/invalidate/cloudfront.ts";
import { noCdn } from "../../src/invalidate/none.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { Wired } from "../../src/pipeline.ts";
import { folderStore } from "../../src/publish/folder-store.ts";
import { openS3Store } from "../../src/publish/s3-store.ts";
import { START } from "../pipeline/rows.ts";
import { openSmall, type SmallSite } from "../pipeline/small-site.ts";
import { COMMANDS, type CommandName } from "./commands.ts";

/** What a process works on: real files, and servers over HTTP. */
export interface Places {
  readonly site: Pick<SmallSite, "dir" | "source">;
  /** File of the ledger below the site's folder. */
  readonly ledger: string;
  readonly store: { readonly folder: string } | { readonly s3: string; readonly bucket: string };
  /** None before a folder, which keeps no headers and so no cache tags. */
  readonly cdn: { readonly endpoint: string; readonly distributionId: string } | undefined;
}

/** File below the site's folder that keeps what pages were. */
export const KEPT = "kept.db";

/** What a process is told to do. */
export interface Asked extends Places {
  readonly command: CommandName;
  /** How many processes may have died before: an hour passes each time, so their claims have ended. */
  readonly attempt: number;
  /** The point, counted from 1, at which it kills itself; never by default. */
  readonly killAt?: number;
}

const HOUR_MS = 3_600_000;
/** What a run waits for is done by servers of this machine. */
const LONGEST_WAIT_MS = 2;
const KEPT_BYTES = 2 ** 24;
const KEYS = { accessKeyId: "test", secretAccessKey: "test" };

/** Opens what the product would open; claims are made an hour later with each attempt. */
export async function openWired({ site, ledger, store, cdn }: Places, attempt = 0): Promise<Wired> {
  await using parts = new AsyncDisposableStack();
  const opened = {
    store:
      "folder" in store
        ? folderStore(store.folder)
        : parts.use(openS3Store({ ...s3Of(store), region: "us-east-1", credentials: KEYS })),
    cdn:
      cdn === undefined
        ? noCdn
        : parts.use(openCloudFront({ ...cdn, hasTags: true, credentials: KEYS })),
  };
  const whole = { ...site, [Symbol.asyncDispose]: async () => {} };
  const wired = parts.use(await openSmall(whole, { ledger, ...opened }));
  const kept = parts.use(openSqliteCache(join(site.dir, KEPT), KEPT_BYTES));
  const open = parts.move();
  const claim: Ledger["claim"] = (run, options) =>
    wired.ledger.claim(run, { ...options, nowMs: options.nowMs + attempt * HOUR_MS });
  const isClaimed: Ledger["isClaimed"] = (nowMs) =>
    wired.ledger.isClaimed(nowMs + attempt * HOUR_MS);
  return {
    ...wired,
    kept,
    ledger: { ...wired.ledger, claim, isClaimed },
    sleep: (ms) => sleep(Math.min(ms, LONGEST_WAIT_MS)),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function s3Of({ s3: endpoint, bucket }: { readonly s3: string; readonly bucket: string }) {
  return { endpoint, bucket };
}

/** Runs a command at its moment. */
export async function obey(
  wired: Wired,
  { command, attempt, site }: Pick<Asked, "command" | "attempt" | "site">,
): Promise<unknown> {
  return await COMMANDS[command](wired, {
    dir: site.dir,
    allowDeletes: true,
    isDryRun: false,
    signal: new AbortController().signal,
    emit: () => {},
    now: () => momentOf(attempt),
  });
}

/** The clock of an attempt, µs. */
export function momentOf(attempt: number): number {
  return START + attempt * HOUR_MS * 1000;
}
