import { expect, onTestFinished, test } from "vitest";
import site from "../../site.config.ts";
import { distributionFindings } from "../../src/doctor/distribution.ts";
import { missingRights, parseGrant } from "../../src/doctor/grants.ts";
import { storeFindings } from "../../src/doctor/store.ts";
import { openDistribution } from "../../src/invalidate/cloudfront-distribution.ts";
import { memoryStore } from "../../src/publish/memory-store.ts";
import { openS3Store } from "../../src/publish/s3-store.ts";
import { startCloudFrontApi } from "../services/cloudfront-api.ts";
import { startFauxqs } from "../services/fauxqs.ts";
import { startMemoryS3 } from "../services/memory-s3.ts";

const credentials = { accessKeyId: "test", secretAccessKey: "test" };

const grantsOf = (...lines: readonly string[]) => lines.flatMap((each) => parseGrant(each) ?? []);

test.each([
  ["GRANT ALL PRIVILEGES ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*1' WITH GRANT OPTION", []],
  ["GRANT SELECT, CREATE ON `my\\_site`.* TO `a`@`%`", []],
  ["GRANT SELECT, CREATE ON `my%`.* TO `a`@`%`", []],
  ["GRANT SELECT, CREATE ON `m__site`.* TO `a`@`%`", []],
  ["GRANT SELECT ON `my_site`.* TO `a`@`%`", ["CREATE"]],
  ["GRANT SELECT (`id`, `name`), CREATE ON `my_site`.* TO `a`@`%`", ["SELECT"]],
  ["GRANT CREATE ROUTINE, SELECT ON `my_site`.* TO `a`@`%`", ["CREATE"]],
  ["GRANT SELECT, CREATE ON `my_site`.`users` TO `a`@`%`", ["SELECT", "CREATE"]],
  ["GRANT SELECT, CREATE ON `yours`.* TO `a`@`%`", ["SELECT", "CREATE"]],
  ["GRANT `writers` TO `a`@`%`", ["SELECT", "CREATE"]],
])("%s lacks what it does not say", (line, missing) => {
  expect(missingRights(grantsOf(line), ["SELECT", "CREATE"], "my_site")).toEqual(missing);
});

async function statesOf(findings: Promise<Awaited<ReturnType<typeof storeFindings>>>) {
  return (await findings).map(({ about, state }) => `${about}: ${state}`);
}

test("a bucket that keeps conditions is told from one that does not, and is left as it was", async () => {
  await using strict = await startMemoryS3();
  await using lax = await startFauxqs();
  const { objects, ...at } = strict;
  await using good = openS3Store({ ...at, credentials });
  await using bad = openS3Store({ ...lax, credentials, bucket: await lax.createBucket() });
  await using none = openS3Store({ ...lax, credentials, bucket: "not-there" });

  expect(await statesOf(storeFindings(good))).toEqual([
    "access: ok",
    "conditional puts: ok",
    "conditional deletes: ok",
    "versioning: warning",
  ]);
  expect(objects.size).toBe(0);
  expect(await statesOf(storeFindings(bad))).toEqual([
    "access: ok",
    "conditional puts: warning",
    "conditional deletes: warning",
    "versioning: warning",
  ]);
  expect(await Array.fromAsync(bad.list(""))).toEqual([]);
  expect(await storeFindings(none)).toMatchObject([{ state: "problem", about: "access" }]);
});

test("a folder and what is like it needs no conditions", async () => {
  const store = { ...memoryStore(), isConditional: false };

  expect(await statesOf(storeFindings(store))).toEqual(["access: ok"]);
});

const errorPage = (status: number, page: string, answered: number, ttl: number) =>
  `<CustomErrorResponse><ErrorCode>${status}</ErrorCode><ResponsePagePath>${page}</ResponsePagePath><ResponseCode>${answered}</ResponseCode><ErrorCachingMinTTL>${ttl}</ErrorCachingMinTTL></CustomErrorResponse>`;

const errorPages = (...items: readonly string[]) =>
  `<CustomErrorResponses><Quantity>${items.length}</Quantity><Items>${items.join("")}</Items></CustomErrorResponses>`;

/** A distribution's origin and default behaviour, with an association of this name. */
const origin = (path: string, functions?: string, domain = "site.s3.amazonaws.com") => {
  const associated = `<Quantity>1</Quantity><Items><${functions}><EventType>viewer-request</EventType></${functions}></Items>`;
  return `<Origins><Items><Origin><Id>o</Id><DomainName>${domain}</DomainName><OriginPath>${path}</OriginPath></Origin></Items></Origins><DefaultCacheBehavior><TargetOriginId>o</TargetOriginId>${functions === undefined ? "" : `<${functions}s>${associated}</${functions}s>`}</DefaultCacheBehavior>`;
};

const TAGS = "<CacheTagConfig><HeaderName>X-Amz-Meta-Cache-Tag</HeaderName></CacheTagConfig>";

async function distribution(config: string | undefined) {
  const api = await startCloudFrontApi({
    evict: async () => {},
    completesAfterMs: 0,
    ...(config !== undefined && { config }),
  });
  const { endpoint, distributionId } = api;
  const opened = openDistribution({ endpoint, distributionId, credentials });
  onTestFinished(async () => {
    for (const each of [opened, api]) await each[Symbol.asyncDispose]();
  });
  return (tagHeader?: string) =>
    distributionFindings(opened, { tagHeader, prefix: "blog", kinds: site.kinds });
}

test("a distribution that fits is told from one that does not", async () => {
  const page = "/404.html";
  const good = await distribution(
    `<Enabled>true</Enabled>${origin("/blog", "FunctionAssociation")}${TAGS}${errorPages(errorPage(403, page, 404, 10), errorPage(404, page, 404, 10))}`,
  );
  const bad = await distribution(
    `<Enabled>false</Enabled>${origin("")}${errorPages(errorPage(403, "/gone.html", 404, 10), errorPage(404, page, 200, 10))}`,
  );
  const slow = await distribution(
    `<Enabled>true</Enabled>${origin("/blog", "LambdaFunctionAssociation")}${TAGS}${errorPages(errorPage(404, page, 404, 3600))}`,
  );

  expect(await statesOf(good("x-amz-meta-cache-tag"))).toEqual([
    "enabled: ok",
    "index documents: ok",
    "origin path: ok",
    "CacheTagConfig: ok",
    "error page of 403: ok",
    "error page of 404: ok",
  ]);
  expect(await statesOf(bad("x-amz-meta-cache-tag"))).toEqual([
    "enabled: problem",
    "index documents: warning",
    "origin path: warning",
    "CacheTagConfig: problem",
    "error page of 403: warning",
    "error page of 404: warning",
  ]);
  expect((await slow()).map(({ message }) => message)).toEqual([
    "It is enabled.",
    "A function runs before the bucket is asked.",
    "It asks for the folder that is published to.",
    expect.stringContaining("CLOUDFRONT_CACHE_TAGS is not set"),
    "Readers get the store's own answer.",
    expect.stringContaining("kept for 3600 s"),
  ]);
});

test("a website endpoint has index documents of its own", async () => {
  const website = await distribution(
    origin("/blog", undefined, "site.s3-website.eu-central-1.amazonaws.com"),
  );

  expect(await statesOf(website())).toContain("index documents: ok");
});

test("a configuration that may not be read is said to be so", async () => {
  const refused = await distribution(undefined);

  expect(await refused("x-amz-meta-cache-tag")).toMatchObject([
    { state: "unknown", remedy: expect.stringContaining("cloudfront:GetDistributionConfig") },
  ]);
});
