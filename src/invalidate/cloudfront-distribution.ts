import { type DistributionConfig, GetDistributionConfigCommand } from "@aws-sdk/client-cloudfront";
import { type CloudFrontConfig, cloudFrontClient } from "./cloudfront.ts";
import { cloudFrontError } from "./cloudfront-errors.ts";
import type { Distribution, Origin } from "./distribution.ts";

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
        origin: originOf(found),
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

/** Of the default behaviour: the others are for what a site has beside its pages. */
function originOf(config: DistributionConfig | undefined): Origin | undefined {
  const behaviour = config?.DefaultCacheBehavior;
  const origin = config?.Origins?.Items?.find(({ Id }) => Id === behaviour?.TargetOriginId);
  if (origin?.DomainName === undefined) return undefined;
  const { FunctionAssociations: functions, LambdaFunctionAssociations: lambdas } = behaviour ?? {};
  const all = [...(functions?.Items ?? []), ...(lambdas?.Items ?? [])];
  const hasFunction = all.some(({ EventType = "" }) => EventType.endsWith("-request"));
  return { domain: origin.DomainName, path: origin.OriginPath ?? "", hasFunction };
}
