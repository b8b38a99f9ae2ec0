import { type CloudFrontApi, startCloudFrontApi } from "./cloudfront-api.ts";
import { type EdgeOrigin, startEdge } from "./edge.ts";

/** A distribution of our own: a caching edge, and the API. */
export interface CloudFront extends CloudFrontApi {
  /** Where viewers ask. */
  readonly url: string;
}

/** What a distribution can be asked for. */
export interface CloudFrontOptions {
  readonly origin: EdgeOrigin;
  /** How long a 404 stays cached. Default 10, as in CloudFront. */
  readonly errorTtlSeconds?: number;
  /** From acceptance until the edge drops the objects and the status turns Completed. Default 50. */
  readonly completesAfterMs?: number;
}

/** Starts Varnish in front of the bucket and the API in this process. */
export async function startCloudFront(options: CloudFrontOptions): Promise<CloudFront> {
  const edge = await startEdge(options.origin, options.errorTtlSeconds ?? 10);
  const { evict } = edge;
  const api = await startCloudFrontApi({
    evict,
    completesAfterMs: options.completesAfterMs ?? 50,
  });
  return {
    ...api,
    url: edge.url,
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await edge[Symbol.asyncDispose]();
    },
  };
}
