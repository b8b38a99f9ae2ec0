import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { vi } from "vitest";
import { readConfig } from "../../src/config.ts";
import { LANES } from "../../src/jobs/job.ts";
import { readParameters } from "../../src/lambda/parameters.ts";
import { ROOT } from "../cli/nightbake.ts";
import { startCloudFrontApi } from "../services/cloudfront-api.ts";
import { startFauxqs } from "../services/fauxqs.ts";
import { createBucket, s3Client } from "../services/s3.ts";
import { startS3Front } from "../services/s3-front.ts";
import { sharedRadosgw } from "../services/shared.ts";
import { startSsm } from "../services/ssm.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import type { Recorder } from "./recorder.ts";

/** Servers like AWS's, and one site on them. radosgw knows no conditions where it keeps versions. */
export async function openServers({ isVersioned }: { readonly isVersioned: boolean }) {
  await using parts = new AsyncDisposableStack();
  const s3 = parts.use(await startS3Front(await sharedRadosgw()));
  const S3_BUCKET = await createBucket(s3, undefined, { isVersioned });
  const cdn = parts.use(await startCloudFrontApi({ evict: async () => {}, completesAfterMs: 0 }));
  const sqs = parts.use(await startFauxqs());
  const { url, waiting } = sqs.createQueues();
  const ssm = parts.use(await startSsm({ NIGHTBAKE_CONCURRENCY: "8" }));
  const home = temporaryFolder("nightbake-calls-");
  const open = parts.move();
  const options = { config: join(ROOT, "site.config.ts") };
  return {
    /** The settings of one whose calls are written down, for a site of this address. */
    async as({ before }: Recorder) {
      vi.stubEnv("AWS_ENDPOINT_URL_SSM", await before(ssm.endpoint));
      const env = {
        ...(await readParameters("/nightbake/test")),
        S3_BUCKET,
        S3_ENDPOINT: await before(s3.endpoint),
        CLOUDFRONT_DISTRIBUTION_ID: cdn.distributionId,
        CLOUDFRONT_ENDPOINT: await before(cdn.endpoint),
        SQS_QUEUE_URL: await before(url),
        AWS_REGION: s3.region,
        AWS_ACCESS_KEY_ID: s3.accessKeyId,
        AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
        NIGHTBAKE_HOME: home,
        NIGHTBAKE_KEEP_MB: "0",
      };
      return (SITE_URL: string) => readConfig({ env: { ...env, SITE_URL }, cwd: home, options });
    },
    /** An event with a message of each lane. */
    event: () => ({
      Records: LANES.flatMap((lane) =>
        waiting(lane)
          .slice(0, 1)
          .map((body) => ({ messageId: lane, body })),
      ),
    }),
    /** Somebody changes rows. */
    edit(sql: string) {
      using database = new DatabaseSync(join(home, "source.db"));
      database.exec(sql);
    },
    /** Another hand puts something else at every page. */
    async overwrite() {
      const client = s3Client(s3);
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: S3_BUCKET }));
      for (const { Key = "" } of Contents.filter(({ Key }) => Key?.endsWith(".html"))) {
        await client.send(new PutObjectCommand({ Bucket: S3_BUCKET, Key, Body: "foreign" }));
      }
      client.destroy();
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
