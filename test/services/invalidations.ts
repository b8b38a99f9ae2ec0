import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

/** What a client sends with CreateInvalidation. */
export interface Batch {
  readonly callerReference: string;
  /** `/path`, `/path*` or `#tag` */
  readonly items: readonly string[];
}

/** One accepted batch. */
export interface Invalidation extends Batch {
  readonly id: string;
  readonly status: "InProgress" | "Completed";
  readonly createdAt: Date;
}

/** The API's refusal of a call. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** CloudFront's limits per distribution, all counted over the batches in progress. */
const MAX_PATHS = 3000;
const MAX_WILDCARDS = 15;
const MAX_PATH_CHARS = 4000;
const MAX_TAG_CHARS = 256;

/** What RFC 1738 calls unsafe (bar `~`) or is not ASCII must be encoded; a star may only stand at the end. */
const PATH = /^\/(?:[!$&'()+,\-./0-9:;=?@A-Z_a-z~]|%[0-9A-Fa-f]{2})*\*?$/;
const TAG = /^#[\x21-\x2b\x2d-\x7e]+$/;

/** The batches of one distribution. Eviction happens at completion, so who does not wait may still read the old. */
export function invalidationLedger(
  evict: (items: readonly string[]) => Promise<void>,
  completesAfterMs: number,
) {
  const all: { -readonly [Name in keyof Invalidation]: Invalidation[Name] }[] = [];
  const closing = new AbortController();
  let completions: Promise<unknown> = Promise.resolve();

  const create = (batch: Batch): Invalidation => {
    const earlier = all.find(({ callerReference }) => callerReference === batch.callerReference);
    if (earlier !== undefined) return sameOrRefuse(earlier, batch);
    const inProgress = all.filter(({ status }) => status === "InProgress");
    check(
      batch,
      inProgress.flatMap(({ items }) => items),
    );
    const id = `I${randomBytes(7).toString("hex").toUpperCase()}`;
    const invalidation = { ...batch, id, status: "InProgress" as const, createdAt: new Date() };
    all.push(invalidation);
    completions = Promise.all([completions, complete(invalidation)]);
    return invalidation;
  };
  const complete = async (invalidation: (typeof all)[number]) => {
    await sleep(completesAfterMs, undefined, { signal: closing.signal }).catch(() => {});
    if (closing.signal.aborted) return;
    await evict(invalidation.items);
    invalidation.status = "Completed";
  };
  return {
    create,
    get(id: string): Invalidation {
      const found = all.find((invalidation) => invalidation.id === id);
      if (found !== undefined) return found;
      throw new Refused(404, "NoSuchInvalidation", "The specified invalidation does not exist.");
    },
    all: (): readonly Invalidation[] => all.map((invalidation) => ({ ...invalidation })),
    forget() {
      all.length = 0;
    },
    /** Leaves what is in progress as it is, and waits for evictions under way. */
    async close() {
      closing.abort();
      await completions;
    },
  };
}

/** Source: CallerReference in the API reference of InvalidationBatch. */
function sameOrRefuse(earlier: Invalidation, { items }: Batch): Invalidation {
  if (JSON.stringify(earlier.items) === JSON.stringify(items)) return earlier;
  const message = "Another invalidation was made with this caller reference.";
  throw new Refused(409, "InvalidationBatchAlreadyExists", message);
}

function check({ items }: Batch, inProgress: readonly string[]): void {
  const bad = items.find((item) => !isValid(item));
  if (items.length === 0 || bad !== undefined) {
    const message = `Your request contains one or more invalid invalidation paths: ${bad}`;
    throw new Refused(400, "InvalidArgument", message);
  }
  if (items.length > MAX_PATHS)
    throw new Refused(413, "BatchTooLarge", "Too many paths in one batch.");
  const together = [...inProgress, ...items];
  const wildcards = together.filter((item) => item.endsWith("*")).length;
  if (wildcards <= MAX_WILDCARDS && together.length - wildcards <= MAX_PATHS) return;
  const message =
    "Processing your request will cause you to exceed the maximum number of in-progress wildcard or path invalidations.";
  throw new Refused(400, "TooManyInvalidationsInProgress", message);
}

function isValid(item: string): boolean {
  return item.startsWith("#")
    ? item.length <= MAX_TAG_CHARS + 1 && TAG.test(item)
    : item.length <= MAX_PATH_CHARS && PATH.test(item);
}
