import { LANES, type Lane } from "./job.ts";

/** Wakes a worker. It says what to look at; whether there is anything to do, the ledger tells. */
export interface Message {
  /** While a message waits, an engine that can takes another of its id for the same one. Any text without ":". */
  readonly id: string;
  readonly lane: Lane;
  /** Goes through JSON. */
  readonly body: Readonly<Record<string, unknown>>;
  /** It is not handed out before. */
  readonly delayMs?: number | undefined;
}

/** What became of a message: nothing is left to do, or it comes again after a while. */
export type Handled = { readonly againMs: number } | undefined;

export interface Workable {
  /** Messages in hand at once. */
  readonly concurrency: number;
  /** No message is taken after it. */
  readonly signal: AbortSignal;
}

/**
 * Hands messages to workers, at least once each and perhaps to two at once: it may lose none by itself,
 * but whoever sends has to send again what an outage lost. Lanes in their order, messages of one about
 * as they were sent; of those that waited for longer than {@link PATIENCE_MS} one goes first every
 * {@link AGED_MS}, so that no lane starves and none is held up.
 */
export interface Queue extends AsyncDisposable {
  /** @throws PipelineError `queue_unavailable`; some may have been sent then */
  send(messages: readonly Message[]): Promise<void>;

  /**
   * Gives messages to `handle` until the signal; ends when the last is handled. One that throws, or
   * whose process dies, is given to somebody again.
   */
  work(handle: (message: Message) => Promise<Handled>, workable: Workable): Promise<void>;

  /** Messages that wait, delayed ones too. @throws PipelineError `queue_unavailable` */
  counts(): Promise<Readonly<Record<Lane, number>>>;

  /**
   * Calls so many functions to help a run that publishes. Workers look for themselves: engines that have
   * but those have no way to call. @throws PipelineError `queue_unavailable`
   */
  readonly call?: (helpers: number) => Promise<void>;
}

/** So long a lane waits for those before it. */
export const PATIENCE_MS: Readonly<Record<Lane, number>> = {
  takedown: 0,
  editor: 10_000,
  live: 30_000,
  nightly: 60_000,
};
/** Between two messages that go first because they have waited too long. */
export const AGED_MS = 1_000;
/** Before a message comes again whose handler threw. */
export const FAILED_MS = 1_000;

/** The lane that has lost its patience for the longest, given how long the first of each waits. */
export function impatient(waits: ReadonlyMap<Lane, number>): Lane | undefined {
  const over = LANES.map((lane) => ({ lane, ms: (waits.get(lane) ?? 0) - PATIENCE_MS[lane] }));
  const [first] = over
    .filter(({ lane, ms }) => waits.has(lane) && ms > 0)
    .sort((a, b) => b.ms - a.ms);
  return first?.lane;
}
