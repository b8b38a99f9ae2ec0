import { randomFrom } from "./random.ts";

/** What a fault can be chosen by. */
export interface RequestLine {
  readonly method: string;
  /** Path and query as sent, e.g. `/bucket/a%20b?x-id=PutObject`. */
  readonly path: string;
}

type Match = (request: RequestLine) => boolean;

/** Lets a test break the next requests, or a share of all of them, of a test server. */
export interface Faults<Fault> {
  /** Breaks the next `times` requests that match; later calls queue behind earlier ones. */
  next(times: number, fault: Fault, match?: Match): void;
  /** Breaks this share (0 to 1) of the matching requests; equal seeds choose equally. */
  rate(
    share: number,
    fault: Fault,
    options: { readonly seed: number; readonly match?: Match },
  ): void;
  /** Ends all faults. */
  clear(): void;
  /** How many requests have been broken so far. */
  readonly injected: number;
}

/** The server's side of the switch: what to do to this request, undefined for nothing. */
export interface FaultSwitch<Fault> {
  readonly faults: Faults<Fault>;
  take(request: RequestLine): Fault | undefined;
}

interface Planned<Fault> {
  readonly fault: Fault;
  readonly match: Match;
}

/** Makes a switch with no fault set. */
export function faultSwitch<Fault>(): FaultSwitch<Fault> {
  let queue: Planned<Fault>[] = [];
  let rates: (Planned<Fault> & { readonly draw: () => boolean })[] = [];
  let injected = 0;
  const always: Match = () => true;

  const takeQueued = (request: RequestLine) => {
    const index = queue.findIndex(({ match }) => match(request));
    return index < 0 ? undefined : queue.splice(index, 1)[0];
  };
  return {
    faults: {
      next(times, fault, match = always) {
        queue.push(...Array.from({ length: times }, () => ({ fault, match })));
      },
      rate(share, fault, { seed, match = always }) {
        const random = randomFrom(seed);
        rates.push({ fault, match, draw: () => random() < share });
      },
      clear() {
        queue = [];
        rates = [];
      },
      get injected() {
        return injected;
      },
    },
    take(request) {
      const planned =
        takeQueued(request) ?? rates.find(({ match, draw }) => match(request) && draw());
      if (planned !== undefined) injected += 1;
      return planned?.fault;
    },
  };
}
