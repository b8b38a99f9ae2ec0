import { PipelineError } from "../error.ts";
import type { Described, Distribution, ErrorPage } from "../invalidate/distribution.ts";
import { encodeRoute, type Kind } from "../site.ts";
import { type Finding, ok, problem, unknown, warning } from "./finding.ts";

/** A new page is not seen for as long as its 404 is kept; 10 s is CloudFront's own. */
const MAX_ERROR_SECONDS = 60;

/** What the distribution must be like for this site. */
export interface DistributionAsked {
  /** `CLOUDFRONT_CACHE_TAGS`. */
  readonly tagHeader: string | undefined;
  /** `S3_PREFIX`, without "/" at its ends; "" for none. */
  readonly prefix: string;
  readonly kinds: readonly Kind[];
}

/** Whether the distribution finds the cache tags, and what it shows where no page is. */
export async function distributionFindings(
  distribution: Distribution,
  asked: DistributionAsked,
): Promise<readonly Finding[]> {
  const described = await distribution.describe().catch((error: unknown) => {
    if (!(error instanceof PipelineError) || !/AccessDenied/.test(error.message)) throw error;
    return undefined;
  });
  if (described === undefined) {
    return [
      unknown(
        "Its configuration may not be read.",
        "Allow cloudfront:GetDistributionConfig on the distribution, for this command alone.",
      ),
    ];
  }
  return [
    enabledFinding(described),
    indexFinding(described),
    folderFinding(described, asked.prefix),
    tagFinding(described, asked.tagHeader),
    ...[403, 404].map((status) => errorFinding(described, status, asked.kinds)),
  ];
}

function enabledFinding({ isEnabled }: Described): Finding {
  const about = "enabled";
  if (isEnabled) return ok("It is enabled.", { about });
  return problem("It is disabled: readers get nothing.", "Enable the distribution.", { about });
}

/** S3 knows no index documents, but at the endpoint for websites, which is open to everybody. */
function indexFinding({ origin }: Described): Finding {
  const about = "index documents";
  if (origin?.hasFunction) return ok("A function runs before the bucket is asked.", { about });
  if (origin !== undefined && /\.s3-website[.-]/.test(origin.domain)) {
    return ok(`${origin.domain} has them itself.`, { about });
  }
  return warning(
    "No function runs before the bucket is asked, so a request for /x/ does not find x/index.html.",
    "Attach src/edge/viewer-request.js to the default cache behaviour: docs/reference/aws/distribution.md.",
    { about },
  );
}

function folderFinding({ origin }: Described, prefix: string): Finding {
  const about = "origin path";
  const wanted = prefix === "" ? "" : `/${prefix}`;
  const found = origin?.path ?? wanted;
  if (found === wanted || found === encodeRoute(wanted)) {
    return ok("It asks for the folder that is published to.", { about });
  }
  return warning(
    `It asks the bucket for what is below "${found}/", and S3_PREFIX says "${wanted}/".`,
    `Set the origin's path to "${wanted}", or S3_PREFIX to what readers shall get.`,
    { about },
  );
}

/** Without the header invalidations by tag succeed and evict nothing. */
function tagFinding({ tagHeader: found }: Described, wanted: string | undefined): Finding {
  const about = "CacheTagConfig";
  const isSame = found?.toLowerCase() === wanted?.toLowerCase();
  if (isSame && found === undefined) {
    return ok("Cache tags are not used: invalidations go by path.", { about });
  }
  if (isSame) return ok(`It finds cache tags in ${found}.`, { about });
  if (wanted === undefined) {
    return warning(
      `It looks for cache tags in ${found}, but CLOUDFRONT_CACHE_TAGS is not set, so invalidations go by path.`,
      `Set CLOUDFRONT_CACHE_TAGS=${found} once all objects carry it.`,
      { about },
    );
  }
  const message = `It looks for cache tags in ${found ?? "no header"}, but CLOUDFRONT_CACHE_TAGS is ${wanted}: invalidations by tag would succeed and evict nothing.`;
  const remedy = `Set CacheTagConfig.HeaderName = ${wanted} on the distribution and invalidate /*, or take CLOUDFRONT_CACHE_TAGS away.`;
  return problem(message, remedy, { about });
}

/** S3 answers 403 for a missing object to those who may not list the bucket. */
function errorFinding({ errors }: Described, status: number, kinds: readonly Kind[]): Finding {
  const about = `error page of ${status}`;
  const page = kinds.find((kind) => kind.is === "single" && kind.route === "/404.html");
  const wanted = `Show ${page === undefined ? "a page of the site" : "/404.html"} with status 404 for ${status}, kept 10 s (CustomErrorResponses).`;
  const found = errors.find((each) => each.status === status);
  const flaw =
    found === undefined ? "Readers get the store's own answer." : errorFlaw(found, kinds);
  return flaw === undefined
    ? ok(`Readers get ${found?.page} with status 404.`, { about })
    : warning(flaw, wanted, { about });
}

function errorFlaw(error: ErrorPage, kinds: readonly Kind[]): string | undefined {
  const { page, answered, status, ttlSeconds } = error;
  if (page === undefined) return "Readers get the store's own answer.";
  if ((answered ?? status) !== 404) {
    return `Readers get ${page} with status ${answered ?? status}, which search engines take for a page or a ban.`;
  }
  if (ttlSeconds > MAX_ERROR_SECONDS) {
    return `The answer is kept for ${ttlSeconds} s, and a new page is not seen for as long.`;
  }
  const isPage = kinds.some((kind) => kind.is === "single" && kind.route === page);
  return isPage ? undefined : `${page} is no page of the site.`;
}
