import {
  CloudFrontClient,
  CreateInvalidationCommand,
  GetInvalidationCommand,
} from "@aws-sdk/client-cloudfront";
import type { Cdn } from "./cdn.ts";
import { cloudFrontError } from "./cloudfront-errors.ts";

/**
 * Items per batch. CloudFront takes 3,000, but as many as that may be in progress at all: with
 * thirds, the next batch starts when one is through, and others find room.
 */
const BATCH_ITEMS = 1000;
/** CloudFront is one global service; its API is signed for this region. */
const REGION = "us-east-1";
const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 30_000;

interface CloudFrontOptions {
  readonly client: CloudFrontClient;
  /** E.g. `E2EXAMPLE`. */
  readonly distributionId: string;
  readonly hasTags: boolean;
}

export interface CloudFrontConfig {
  readonly distributionId: string;
  /** True when the distribution's CacheTagConfig names the header that our objects carry. */
  readonly hasTags: boolean;
  /** A stand-in for tests; undefined means AWS. */
  readonly endpoint?: string | undefined;
  /** Undefined means the SDK's own search: environment, profile, role. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Opens one CloudFront distribution; disposing it closes the connections. */
export function openCloudFront(config: CloudFrontConfig): Cdn & AsyncDisposable {
  const { distributionId, hasTags } = config;
  const client = cloudFrontClient(config);
  const dispose = async () => client.destroy();
  return { ...cloudFront({ client, distributionId, hasTags }), [Symbol.asyncDispose]: dispose };
}

/** Connections to CloudFront's API; `destroy()` closes them. */
export function cloudFrontClient({
  endpoint,
  credentials,
}: Pick<CloudFrontConfig, "endpoint" | "credentials">): CloudFrontClient {
  return new CloudFrontClient({
    region: REGION,
    ...(endpoint && { endpoint }),
    ...(credentials && { credentials }),
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
}

/**
 * Invalidates in one CloudFront distribution. The batch's id is the CallerReference, so a repeated
 * batch is the same invalidation and costs nothing (API reference, InvalidationBatch).
 */
function cloudFront({ client, distributionId, hasTags }: CloudFrontOptions): Cdn {
  const failAt = (place: { readonly batch?: string; readonly invalidation?: string }) => {
    return (cause: unknown): never => {
      throw cloudFrontError(cause, { distribution: distributionId, ...place });
    };
  };
  return {
    name: `CloudFront ${distributionId}`,
    isCaching: true,
    hasTags,
    batchItems: BATCH_ITEMS,
    async send({ id, items }) {
      const command = new CreateInvalidationCommand({
        DistributionId: distributionId,
        InvalidationBatch: {
          CallerReference: id,
          Paths: { Quantity: items.length, Items: [...items] },
        },
      });
      const { Invalidation } = await client.send(command).catch(failAt({ batch: id }));
      if (Invalidation?.Id !== undefined) return Invalidation.Id;
      throw new TypeError("CloudFront accepted an invalidation without naming it.");
    },
    async isCompleted(invalidation) {
      const command = new GetInvalidationCommand({
        DistributionId: distributionId,
        Id: invalidation,
      });
      const answer = await client.send(command).catch(failAt({ invalidation }));
      return answer.Invalidation?.Status === "Completed";
    },
  };
}
