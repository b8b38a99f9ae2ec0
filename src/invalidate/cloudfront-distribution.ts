import { GetDistributionConfigCommand } from "@aws-sdk/client-cloudfront";
import { type CloudFrontConfig, cloudFrontClient } from "./cloudfront.ts";
import { cloudFrontError } from "./cloudfront-errors.ts";
import type { Distribution } from "./distribution.ts";

/** Opens the configuration of a distribution for reading; disposing it closes the connections. */
export function openDistribution(
  config: Omit<CloudFrontConfig, "hasTags">,
): Distribution & AsyncDisposable {
  const { distributionId } = config;
  const client = cloudFrontClient(config);
  return {
    name: `CloudFront ${distributionId}`,
    async describe() {
      const command = new GetDistributionConfigCommand({ Id: distributionId });
      const { DistributionConfig: found } = await client.send(command).catch((cause: unknown) => {
        throw cloudFrontError(cause, { distribution: distributionId }, "show its configuration");
      });
      const errors = found?.CustomErrorResponses?.Items ?? [];
      return {
        isEnabled: found?.Enabled === true,
        tagHeader: found?.CacheTagConfig?.HeaderName,
        errors: errors.map(({ ErrorCode = 0, ResponseCode, ...each }) => ({
          status: ErrorCode,
          page: each.ResponsePagePath || undefined,
          answered: ResponseCode ? Number(ResponseCode) : undefined,
          // What CloudFront takes when nothing is said.
          ttlSeconds: each.ErrorCachingMinTTL ?? 10,
        })),
      };
    },
    [Symbol.asyncDispose]: async () => client.destroy(),
  };
}
