/** What readers get of the site, through the CDN. */
export interface Viewer {
  /** For messages: `https://example.com`. */
  readonly name: string;

  /** The body at an encoded path, `/articles/x/`; undefined when there is none or no answer. */
  get(path: string): Promise<Uint8Array | undefined>;
}

/** A CDN that does not answer for so long is asked again. */
const TIMEOUT_MS = 10_000;

/** Asks over HTTP. `origin` has no "/" at its end. */
export function httpViewer(origin: string): Viewer {
  return {
    name: origin,
    async get(path) {
      try {
        const signal = AbortSignal.timeout(TIMEOUT_MS);
        const response = await fetch(`${origin}${path}`, { signal, redirect: "manual" });
        const body = await response.bytes();
        return response.ok || response.status === 404 ? body : undefined;
      } catch {
        return undefined;
      }
    },
  };
}
