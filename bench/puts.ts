import { Session } from "node:inspector/promises";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import pLimit from "p-limit";
import { openS3Store } from "../src/publish/s3-store.ts";
import { artifact } from "../test/publish/artifact.ts";
import { startRadosgw } from "../test/services/radosgw.ts";

const HELP = `Measures puts through the S3 adapter into a radosgw of its own: puts a second, CPU of this
process a put, and how much of that is spent in the AWS SDK (sampled).

  node bench/puts.ts [--puts N] [--runs N] [--bytes N] [--concurrency N]
`;

const { values } = parseArgs({
  options: {
    puts: { type: "string", default: "1000" },
    runs: { type: "string", default: "5" },
    bytes: { type: "string", default: "8500" },
    concurrency: { type: "string", default: "64" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else await main();

async function main(): Promise<void> {
  await using server = await startRadosgw();
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const concurrency = Number(values.concurrency);
  const credentials = { accessKeyId, secretAccessKey };
  const bucket = await server.createBucket();
  await using store = openS3Store({ endpoint, region, credentials, bucket, concurrency });
  const putAll = async (run: number) => {
    const limit = pLimit(concurrency);
    const all = Array.from({ length: Number(values.puts) }, (_, at) =>
      artifact({ key: `${run}/${at}/index.html`, body: Buffer.alloc(Number(values.bytes), 97) }),
    );
    await limit.map(all, (each) => store.put(each, { expected: null, id: "bench" }));
  };
  await putAll(0);
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  const figures: { readonly perSecond: number; readonly cpuMs: number; readonly sdk: number }[] =
    [];
  for (let run = 1; run <= Number(values.runs); run += 1) {
    await session.post("Profiler.start");
    const [startMs, startCpu] = [performance.now(), process.cpuUsage()];
    await putAll(run);
    const { user, system } = process.cpuUsage(startCpu);
    const wallSeconds = (performance.now() - startMs) / 1000;
    const { profile } = await session.post("Profiler.stop");
    const puts = Number(values.puts);
    figures.push({
      perSecond: puts / wallSeconds,
      cpuMs: (user + system) / 1000 / puts,
      sdk: shareOf(profile, /node_modules\/(@aws-sdk|@smithy|@aws-crypto)\//),
    });
  }
  const of = (pick: (each: (typeof figures)[number]) => number, digits: number) => {
    const all = figures.map(pick).sort((a, b) => a - b);
    const text = (value: number | undefined) => (value ?? 0).toFixed(digits);
    return `${text(all[Math.floor(all.length / 2)])} (${text(all[0])}-${text(all.at(-1))})`;
  };
  process.stdout.write(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}
puts a second ${of(({ perSecond }) => perSecond, 0)}; CPU a put, ms ${of(({ cpuMs }) => cpuMs, 2)}; in the SDK ${of(({ sdk }) => 100 * sdk, 0)} %\n`,
  );
}

/** Share of the samples that were not idle whose function stands in a file of that name. */
function shareOf(
  { nodes, samples = [] }: import("node:inspector").Profiler.Profile,
  file: RegExp,
): number {
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const frames = samples.map((id) => byId.get(id));
  const busy = frames.filter(
    (frame) => frame !== undefined && !/^\((idle|program)\)$/.test(frame.functionName),
  );
  return busy.filter((frame) => file.test(frame?.url ?? "")).length / Math.max(1, busy.length);
}
