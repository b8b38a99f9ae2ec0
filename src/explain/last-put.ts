import type { LivePage } from "../ledger/ledger.ts";
import type { PlanContext } from "../plan/context.ts";
import { causeNamed } from "../plan/put-cause.ts";
import { decodeKey, type Instant, keyName, type RecordedRead } from "../site.ts";
import { listOf } from "./behind.ts";

/** The release that last put a page, and why. */
export interface LastPut {
  readonly release: number;
  /** µs; undefined when the release's record is gone. */
  readonly at: Instant | undefined;
  /** As a step's reason: `absent`, `row:users/ann` …; undefined when nobody knows. */
  readonly reason: string | undefined;
  /** Of what that release had found changed, what the reason can come from. */
  readonly found: readonly string[];
}

/** What the ledger knows of the last put of a page; `reads` are its reads as they are now. */
export async function lastPut(
  page: LivePage,
  reads: readonly RecordedRead[],
  context: PlanContext,
): Promise<LastPut> {
  const { release, cause } = page;
  const [record] = await context.ledger.releases(1, release);
  const reason = causeNamed(cause, reads);
  if (record?.id !== release) return { release, at: undefined, reason, found: [] };
  const { found = [] } = JSON.parse(record.report ?? "{}") as { readonly found?: string[] };
  const isBehind = behind(page, reason ?? "", context);
  return { release, at: record.startedAt, reason, found: found.filter(isBehind) };
}

/** Says of what a release found whether a reason can come from it. */
function behind(page: LivePage, reason: string, context: PlanContext): (name: string) => boolean {
  const kind = context.site.kinds.find(({ name }) => name === page.kind);
  if (kind === undefined) return () => false;
  if (reason.startsWith("template:")) return (name) => name in context.making(kind);
  const list = listOf(reason, context);
  if (list !== undefined) return (name) => name.startsWith(`row:${list.table.name}/`);
  if (/^(row|absent):/.test(reason)) {
    const row = reason.replace(/^absent:/, "row:");
    return (name) => name === row;
  }
  // Of a page that appeared, moved or came due, its own row; of links, whatever makes pages.
  if (reason.startsWith("page")) return (name) => name.startsWith("row:");
  const own = kind.is === "row" ? `row:${kind.table.name}/${keyName(decodeKey(page.key))}` : "";
  return (name) => name === own;
}
