import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import site from "../../site.config.ts";
import { readConfig } from "../../src/config.ts";
import { distributionFindings } from "../../src/doctor/distribution.ts";
import { openDistribution } from "../../src/invalidate/cloudfront-distribution.ts";
import { toHeaders } from "../../src/publish/s3-headers.ts";
import { objectHeaders } from "../../src/render/headers.ts";
import { startCloudFrontApi } from "../services/cloudfront-api.ts";
import { escapeXml } from "../services/xml.ts";
import { referenceProblems } from "../stack/references.ts";
import { schemaProblems } from "../stack/schema.ts";
import { SOURCE } from "./edge-function.ts";
import { resolved, siteTemplate } from "./site-template.ts";

/** Parts of it, by name. */
type Parts = Readonly<Record<string, unknown>>;

const TAGS = "x-amz-meta-cache-tag";
const GOLDEN = fileURLToPath(new URL("../sites/golden/expected", import.meta.url));

const TEMPLATES = fileURLToPath(new URL("../../templates", import.meta.url));

const template = siteTemplate();

function properties(name: string, parameters: Readonly<Record<string, string>> = {}): Parts {
  const given = siteTemplate(parameters);
  return resolved(given, given.Resources[name]?.Properties) as Parts;
}

/** As CloudFront's API writes it: lists have a quantity and items. */
function xml(name: string, value: unknown): string {
  if (Array.isArray(value)) {
    const items = value.map((each) => xml(name.replace(/s$/, ""), each)).join("");
    return `<${name}><Quantity>${value.length}</Quantity><Items>${items}</Items></${name}>`;
  }
  const inner =
    typeof value === "object" && value !== null
      ? Object.entries(value).map(([each, part]) => xml(each, part))
      : [escapeXml(String(value))];
  return `<${name}>${inner.join("")}</${name}>`;
}

test("the function in it is that of src/edge, letter for letter", () => {
  expect(properties("SiteViewerRequest")).toMatchObject({
    FunctionCode: SOURCE,
    FunctionConfig: { Runtime: "cloudfront-js-2.0" },
    AutoPublish: true,
  });
  expect(properties("SiteDistribution")).toMatchObject({
    DistributionConfig: {
      DefaultCacheBehavior: {
        FunctionAssociations: [
          { EventType: "viewer-request", FunctionARN: "SiteViewerRequest.FunctionARN" },
        ],
      },
    },
  });
});

test("the doctor finds nothing wrong with its distribution", async () => {
  const { DistributionConfig } = properties("SiteDistribution", { SitePrefix: "preview" });
  const config = Object.entries(DistributionConfig as Parts);
  const api = await startCloudFrontApi({
    evict: async () => {},
    completesAfterMs: 0,
    config: config.map(([name, value]) => xml(name, value)).join(""),
  });
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const { endpoint, distributionId } = api;
  const opened = openDistribution({ endpoint, distributionId, credentials });
  onTestFinished(async () => {
    for (const each of [opened, api]) await each[Symbol.asyncDispose]();
  });

  const findings = await distributionFindings(opened, {
    tagHeader: TAGS,
    prefix: "preview",
    kinds: site.kinds,
  });

  expect(findings.map(({ state, message }) => [state, message])).toEqual([
    ["ok", "It is enabled."],
    ["ok", "A function runs before the bucket is asked."],
    ["ok", "It asks for the folder that is published to."],
    ["ok", `It finds cache tags in ${TAGS}.`],
    ["ok", "Readers get /404.html with status 404."],
    ["ok", "Readers get /404.html with status 404."],
  ]);
});

test("names, a certificate, a folder and logs are there when they are given", () => {
  const plain = { DistributionConfig: { Origins: [{ OriginPath: "" }] } };
  const parameters = {
    SiteDomainNames: "a.example,b.example",
    SiteCertificateArn: "arn:aws:acm:us-east-1:123456789012:certificate/x",
    SitePrefix: "preview",
    SiteLogBucket: "logs.s3.amazonaws.com",
  };

  expect(properties("SiteDistribution")).toMatchObject(plain);
  expect(properties("SiteDistribution")).not.toHaveProperty("DistributionConfig.Aliases");
  expect(properties("SiteDistribution")).not.toHaveProperty("DistributionConfig.Logging");
  expect(properties("SiteDistribution", parameters)).toMatchObject({
    DistributionConfig: {
      Aliases: ["a.example", "b.example"],
      ViewerCertificate: { AcmCertificateArn: parameters.SiteCertificateArn },
      Logging: { Bucket: "logs.s3.amazonaws.com" },
      Origins: [{ OriginPath: "/preview" }],
    },
  });
});

test("the cache keeps what is put for as long as its headers say", () => {
  const { CachePolicyConfig } = properties("SiteCachePolicy");
  const { MinTTL, MaxTTL } = CachePolicyConfig as {
    readonly MinTTL: number;
    readonly MaxTTL: number;
  };
  const keys = ["a/index.html", "404.html", "assets/a.0123456789.css"];
  const seconds = keys.map((key) => {
    const { cacheControl } = objectHeaders(key);
    const [, shared] =
      /s-maxage=(\d+)/.exec(cacheControl) ?? /max-age=(\d+)/.exec(cacheControl) ?? [];
    return Number(shared);
  });

  expect(seconds).toEqual([31_536_000, 10, 31_536_000]);
  expect(seconds.every((each) => MinTTL <= each && each <= MaxTTL)).toBe(true);
  expect(CachePolicyConfig).toMatchObject({
    ParametersInCacheKeyAndForwardedToOrigin: {
      CookiesConfig: { CookieBehavior: "none" },
      HeadersConfig: { HeaderBehavior: "none" },
      QueryStringsConfig: { QueryStringBehavior: "none" },
    },
  });
});

test("readers get none of the headers that are ours", () => {
  const artifact = {
    ...objectHeaders("a/index.html"),
    key: "a/index.html",
    body: new Uint8Array(),
    hash: Buffer.from("00", "hex"),
    metadata: { "cache-tag": "a" },
  };
  const { Metadata = {} } = toHeaders(artifact, { id: "1" });
  const { ResponseHeadersPolicyConfig } = properties("SiteResponseHeaders") as {
    readonly ResponseHeadersPolicyConfig: {
      readonly RemoveHeadersConfig: { readonly Items: readonly { readonly Header: string }[] };
    };
  };
  const removed = ResponseHeadersPolicyConfig.RemoveHeadersConfig.Items.map((each) => each.Header);

  expect(removed).toEqual(
    expect.arrayContaining(Object.keys(Metadata).map((name) => `x-amz-meta-${name}`)),
  );
  // "Quotas on headers": at most ten.
  expect(removed.length).toBeLessThanOrEqual(10);
});

test("every answer says how far browsers may trust it", () => {
  const { ResponseHeadersPolicyConfig } = properties("SiteResponseHeaders");
  const { SecurityHeadersConfig } = ResponseHeadersPolicyConfig as Parts;

  expect(SecurityHeadersConfig).toMatchObject({
    StrictTransportSecurity: { AccessControlMaxAgeSec: 31_536_000, Override: true },
    ContentSecurityPolicy: {
      ContentSecurityPolicy: expect.stringMatching(/^default-src 'none'; /),
      Override: true,
    },
    ContentTypeOptions: { Override: true },
    FrameOptions: { FrameOption: "DENY", Override: true },
    ReferrerPolicy: { ReferrerPolicy: "strict-origin-when-cross-origin", Override: true },
  });
});

test("readers get pages by TLS, compressed and with these headers, from a bucket that the distribution signs for", () => {
  expect(properties("SiteDistribution")).toMatchObject({
    DistributionConfig: {
      DefaultRootObject: "index.html",
      Origins: [{ OriginAccessControlId: "SiteOriginAccess.Id" }],
      DefaultCacheBehavior: {
        ViewerProtocolPolicy: "redirect-to-https",
        Compress: true,
        CachePolicyId: "SiteCachePolicy.Ref",
        ResponseHeadersPolicyId: "SiteResponseHeaders.Ref",
      },
    },
  });
  expect(properties("SiteOriginAccess")).toMatchObject({
    OriginAccessControlConfig: { OriginAccessControlOriginType: "s3", SigningBehavior: "always" },
  });
  // CloudFront compresses nothing without these, whatever Compress says.
  expect(properties("SiteCachePolicy")).toMatchObject({
    CachePolicyConfig: {
      ParametersInCacheKeyAndForwardedToOrigin: {
        EnableAcceptEncodingBrotli: true,
        EnableAcceptEncodingGzip: true,
      },
    },
  });
});

test("its Content-Security-Policy lets the demo's templates and rendered bodies work", () => {
  const files = [TEMPLATES, GOLDEN].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((each) => join(folder, each)),
  );
  const pages = files.filter((each) => /\.(?:eta|html)$/.test(each));
  const html = pages.map((each) => readFileSync(each, "utf8")).join("\n");

  expect(pages.length).toBeGreaterThan(15);
  // What it forbids: scripts, styles in the page, frames, forms, another base for addresses.
  expect(html).not.toMatch(
    /<(?:script|style|iframe|object|embed|form|base|video|audio)\b|\s(?:style|on\w+)="/i,
  );
  expect(html).toMatch('<link rel="stylesheet"');
});

test("the bucket is private, outlives its stack, and keeps versions for longer than releases", () => {
  const { keepDays } = readConfig({ env: {}, cwd: "/", options: {} });
  const days = Number(template.Parameters["SiteVersionDays"]?.Default);

  expect(template.Resources["SiteBucket"]).toMatchObject({
    DeletionPolicy: "Retain",
    UpdateReplacePolicy: "Retain",
  });
  expect(days).toBeGreaterThan(keepDays);
  expect(properties("SiteBucket")).toMatchObject({
    VersioningConfiguration: { Status: "Enabled" },
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
    LifecycleConfiguration: {
      Rules: [{ NoncurrentVersionExpiration: { NoncurrentDays: days } }, {}],
    },
  });
  expect(properties("SiteBucketPolicy")).toMatchObject({
    PolicyDocument: {
      Statement: [
        {
          Effect: "Allow",
          Principal: { Service: "cloudfront.amazonaws.com" },
          Action: "s3:GetObject",
          Condition: {
            StringEquals: {
              "AWS:SourceArn": "arn:aws:cloudfront::123456789012:distribution/ESITEDISTRIBUTION",
            },
          },
        },
        { Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } },
      ],
    },
  });
});

test("it says what Nightbake's settings are", () => {
  const outputs = resolved(template, template.Outputs) as Record<
    string,
    { readonly Value: string }
  >;

  expect(Object.entries(outputs).map(([name, { Value }]) => [name, Value])).toEqual([
    ["SiteBucketName", "sitebucket"],
    ["SiteDistributionId", "ESITEDISTRIBUTION"],
    ["SiteCacheTags", TAGS],
    ["SiteDistributionDomainName", "sitedistribution.cloudfront.net"],
  ]);
});

test("it stands by itself, and CloudFormation knows all that it says", () => {
  expect(referenceProblems(template)).toEqual([]);
  expect(schemaProblems(template)).toEqual([]);
});
