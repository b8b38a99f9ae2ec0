import type { KeptToken } from "../ledger/ledger.ts";
import type { Scope } from "./token.ts";

/** One address of the API, whichever server listens there. */
export interface Route {
  readonly method: "GET" | "POST";
  /** `/v1/jobs/:id` */
  readonly path: string;
  /** The token must be for one of these; without any, anybody may ask. */
  readonly scopes: readonly Scope[];
  /** JSON schemas of what may be sent; without one nothing is looked at. */
  readonly schema?: { readonly body?: object; readonly querystring?: object };
  /** @throws PipelineError as its code says, see `problemOf` */
  answer(asked: Asked): Promise<Answer>;
}

/** One request, as its route's schemas want it. */
export interface Asked {
  /** Who asks. Of a route without a scope it is nobody. */
  readonly token: Pick<KeptToken, "name" | "scopes">;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
  /** Aborted when whoever asked has gone. */
  readonly gone: AbortSignal;
}

/** One of `json`, `text` and `stream`, which comes piece by piece; or nothing. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  readonly stream?: AsyncIterable<string>;
}

/** Of every answer: what nobody may keep, guess a type of or show in a frame. */
export const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
};
