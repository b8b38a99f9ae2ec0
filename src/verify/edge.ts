/** What readers get of a site. */
export interface Edge {
  /** Where, for messages: `https://example.com`. */
  readonly name: string;
  /** Fetches an encoded path; why there is no answer, where there is none. */
  fetch(path: string): Promise<{ readonly status: number; readonly body: Uint8Array } | string>;
}

const TIMEOUT_MS = 30_000;

/** The site as it is served below an address without "/" at its end. */
export function httpEdge(origin: string): Edge {
  return {
    name: origin,
    async fetch(path) {
      try {
        const signal = AbortSignal.timeout(TIMEOUT_MS);
        const answer = await fetch(`${origin}${path}`, { redirect: "manual", signal });
        return { status: answer.status, body: await answer.bytes() };
      } catch (error) {
        const { message, cause } = error as Error;
        return cause instanceof Error ? `${message}: ${cause.message}` : message;
      }
    },
  };
}
