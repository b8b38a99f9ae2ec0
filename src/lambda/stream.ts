import type { Writable } from "node:stream";
import type { Context } from "./event.ts";

/** A function whose answer goes to `to` piece by piece. */
export type Streaming = (event: unknown, to: Writable, context: Context) => Promise<void>;

/** What Lambda's runtime has for such functions, as a global (Lambda, "Response streaming"). */
export interface StreamRuntime {
  streamifyResponse(streaming: Streaming): unknown;
  readonly HttpResponseStream: {
    /** The same stream; before its first piece go status and headers. */
    from(to: Writable, head: StreamHead): Writable;
  };
}

export interface StreamHead {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Undefined elsewhere than on Lambda, where AWS's SDK may have left an empty one. */
export function streamRuntime(): StreamRuntime | undefined {
  const { awslambda } = globalThis as { readonly awslambda?: Partial<StreamRuntime> };
  return awslambda?.streamifyResponse === undefined ? undefined : (awslambda as StreamRuntime);
}
