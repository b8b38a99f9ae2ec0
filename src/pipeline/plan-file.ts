import { type FileHandle, open } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { PipelineError } from "../error.ts";
import { comparePages, hexOf, type PageId, type Phase, type Step } from "../site.ts";
import { lines } from "../source/ndjson.ts";
import type { Made } from "./make.ts";

/** Counted up when plans of before can no longer be applied. */
export const FORMAT = 1;

/** The first line: what the plan was made from. */
export interface PlanHeader {
  readonly plan: typeof FORMAT;
  /** The ledger's id. */
  readonly ledger: string;
  /** The last release then. */
  readonly release: number;
  /** µs */
  readonly at: number;
  /** Digest of the fingerprints of all kinds. */
  readonly prints: string;
  readonly only: string | null;
  readonly targets: readonly string[] | null;
}

/** `unchanged` pages get a new trace and no put; `fail` keeps its last good version. */
export type PlanAction = Exclude<Step["action"], "check"> | "unchanged" | "fail";

/** One page; binary values in hexadecimal. */
export interface PlanLine {
  readonly kind: string;
  readonly key: string;
  /** `keyName`'s form. */
  readonly name: string;
  readonly route: string;
  readonly from: string | null;
  readonly start: string | null;
  readonly phase: Phase;
  readonly action: PlanAction;
  readonly reason: string;
  /** Digest of each declared read by its name. */
  readonly reads: Readonly<Record<string, string>>;
  /** Of bytes and headers; null for deletes, and for sitemaps, which follow from the other pages. */
  readonly hash: string | null;
  readonly bytes: number;
  /** Invalidation items. */
  readonly items: number;
  /** What the step replaces; `hash` is null when nobody knows what is stored. */
  readonly live: { readonly release: number; readonly hash: string | null } | null;
}

/** A plan that stands in a file, its lines in page order, sitemaps and failures after the others. */
export interface PlanFile {
  readonly header: PlanHeader;
  /** The lines that `isWanted`, in batches. */
  batches(isWanted: (line: PlanLine) => boolean): AsyncGenerator<readonly PlanLine[]>;
  /**
   * Checks what was made of steps of one phase, in page order, before it is put.
   * @throws PipelineError `plan_stale` when it is not what the plan says
   */
  expect(made: readonly Made[]): Promise<void>;
}

const BATCH = 200;

/** True for the lines that a run must plan again as they stand. */
export function isSettled({ phase, action }: PlanLine): boolean {
  return phase !== "feeds" && action !== "fail";
}

/** The page of a line. */
export function idOf({ kind, key }: PlanLine): PageId {
  return { kind, key: Buffer.from(key, "hex") };
}

/**
 * Opens a plan that {@link planWriter} wrote.
 * @throws PipelineError `input_invalid` when it is no plan, was cut off, or is of another format
 */
export async function openPlan(file: string): Promise<PlanFile> {
  const first = (await linesOf(file).next()).value as Partial<PlanHeader> | undefined;
  if (first?.plan !== FORMAT)
    throw noPlan(file, `It does not begin as a plan of format ${FORMAT}.`);
  await checkEnd(file);
  const header = first as PlanHeader;
  const cursors = new Map<Phase, { readonly lines: PlanCursor; last: PageId }>();
  const plan: PlanFile = {
    header,
    batches: (isWanted) => inBatches(file, isWanted),
    async expect(made) {
      for (const { step, artifact } of made) {
        const { phase } = step;
        if (phase === "feeds") continue;
        const isOwn = (line: PlanLine) => isSettled(line) && line.phase === phase;
        const before = cursors.get(phase);
        // A phase is walked anew where its first pass left steps to a second one.
        const isOn = before !== undefined && comparePages(before.last, step) < 0;
        const cursor = isOn ? before : { lines: new PlanCursor(plan.batches(isOwn)), last: step };
        cursor.last = step;
        cursors.set(phase, cursor);
        const line = await cursor.lines.at(step);
        // Not in the file: what a page that failed or a store that folds case brought about.
        if (line !== undefined && line.hash !== hexOf(artifact.hash)) throw otherBytes(step);
      }
    },
  };
  return plan;
}

/** Walks a plan's lines along pages that come in the same order. */
export class PlanCursor {
  readonly #batches: AsyncIterator<readonly PlanLine[]>;
  #lines: readonly PlanLine[] = [];
  #at = 0;
  #isDone = false;

  constructor(batches: AsyncIterator<readonly PlanLine[]>) {
    this.#batches = batches;
  }

  /** The line of a page, undefined when there is none; later calls are for later pages. */
  async at(page: PageId): Promise<PlanLine | undefined> {
    for (;;) {
      const line = await this.#peek();
      const order = line === undefined ? 1 : comparePages(idOf(line), page);
      if (order >= 0) return order === 0 ? line : undefined;
      this.#at += 1;
    }
  }

  async #peek(): Promise<PlanLine | undefined> {
    while (this.#at === this.#lines.length && !this.#isDone) {
      const { value = [], done = false } = await this.#batches.next();
      [this.#lines, this.#at, this.#isDone] = [value, 0, done];
    }
    return this.#lines[this.#at];
  }
}

/** Writes a plan's lines; without `end` the file is no plan. */
export interface PlanWriter extends AsyncDisposable {
  write(lines: readonly PlanLine[]): Promise<void>;
  end(): Promise<void>;
}

/** Opens a file for a plan and replaces what it holds. @throws PipelineError `input_invalid` */
export async function planWriter(file: string, header: PlanHeader): Promise<PlanWriter> {
  const handle = await open(file, "w").catch((cause: unknown): FileHandle => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `The plan cannot be written: ${reason}.`;
    throw new PipelineError("input_invalid", message, { at: { file }, cause });
  });
  let count = 0;
  const put = async (values: readonly object[]) => {
    await handle.appendFile(values.map((value) => `${JSON.stringify(value)}\n`).join(""));
  };
  await put([header]);
  return {
    async write(own) {
      count += own.length;
      if (own.length > 0) await put(own);
    },
    end: () => put([{ end: count }]),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

async function* inBatches(
  file: string,
  isWanted: (line: PlanLine) => boolean,
): AsyncGenerator<readonly PlanLine[]> {
  let batch: PlanLine[] = [];
  for await (const value of linesOf(file)) {
    if (!isLine(value) || !isWanted(value)) continue;
    batch.push(value);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

async function checkEnd(file: string): Promise<void> {
  let count = 0;
  let last: unknown;
  for await (const value of linesOf(file)) {
    if (isLine(value)) count += 1;
    last = value;
  }
  const { end } = last as { readonly end?: unknown };
  if (end !== count) throw noPlan(file, "It was cut off.");
}

async function* linesOf(file: string): AsyncGenerator<object> {
  for await (const { bytes, number } of lines(dirname(file), basename(file))) {
    let value: unknown;
    try {
      value = JSON.parse(bytes.toString("utf8"));
    } catch {
      throw noPlan(file, `Line ${number} is not JSON.`);
    }
    if (typeof value !== "object" || value === null)
      throw noPlan(file, `Line ${number} is no object.`);
    yield value;
  }
}

function isLine(value: object): value is PlanLine {
  return "kind" in value && "key" in value && "action" in value;
}

function noPlan(file: string, message: string): PipelineError {
  return new PipelineError("input_invalid", `The file holds no plan to apply. ${message}`, {
    hint: "Make one with `nightbake plan --out FILE`.",
    at: { file },
  });
}

function otherBytes({ kind, route }: Step): PipelineError {
  const message = `${route} was made with other bytes than the plan says.`;
  return new PipelineError("plan_stale", message, {
    hint: "Plan again: the site, the templates or this release of Nightbake are others.",
    at: { kind, route },
  });
}
