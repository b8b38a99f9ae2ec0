import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { bundle } from "../deploy/bundle.ts";
import { removeFolder, temporaryFolder } from "../test/services/daemon.ts";

const HELP = `Tells how long each function on AWS takes from its first import until it asks SSM for its parameters, when all its code is
loaded, and until it would connect to the ledger: parameters are read by then (from a stand-in on this machine), the
definition, and with those that make pages templates and content. What Node itself takes to start is not in it. Each is
a process of its own, in turn; medians.

  node bench/cold-start.ts [--rounds N] [--node FILE]

  --rounds  processes of each (default 15)
  --node    the Node they run on (default this one)
`;
const CHILD = fileURLToPath(new URL("cold-start-child.ts", import.meta.url));
const FUNCTIONS = ["run", "help", "tick", "api", "events"] as const;
/** Nobody is there, and nobody is asked. */
const DATABASE = "mysql://nobody:secret@127.0.0.1:1/nothing";
const PATH = "/nightbake/cold";

interface Figures {
  readonly loadedMs: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    node: { type: "string", default: process.execPath },
    help: { type: "boolean", default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else await main(Number(values.rounds), values.node);

async function main(rounds: number, node: string): Promise<void> {
  const dir = temporaryFolder("cold-start");
  await using parameters = await openParameters();
  try {
    await bundle({ out: join(dir, "aws") });
    const place = { dir, node, url: parameters.url };
    const measured = await measure(place, rounds);
    const load = `load ${loadavg()[0]?.toFixed(1)}`;
    console.log(`function   loaded ms             ready ms              CPU ms   ${load}`);
    for (const name of FUNCTIONS) console.log(lineOf(name, measured.get(name) ?? []));
  } finally {
    await removeFolder(dir);
  }
}

/** Where a function starts. */
interface Place {
  readonly dir: string;
  readonly node: string;
  /** Of the stand-in for SSM. */
  readonly url: string;
}

async function measure(place: Place, rounds: number) {
  const measured = new Map(FUNCTIONS.map((name) => [name, [] as Figures[]]));
  for (let round = 0; round < rounds; round += 1) {
    const first = round % FUNCTIONS.length;
    const order = [...FUNCTIONS.slice(first), ...FUNCTIONS.slice(0, first)];
    for (const name of order) measured.get(name)?.push(await coldStart(place, name));
  }
  return measured;
}

async function coldStart({ dir, node, url }: Place, name: string): Promise<Figures> {
  const env = {
    NIGHTBAKE_HOME: join(dir, "home"),
    NIGHTBAKE_KEEP_MB: "0",
    NIGHTBAKE_PARAMETERS: PATH,
    S3_BUCKET: "nothing",
    CLOUDFRONT_DISTRIBUTION_ID: "E2EXAMPLE",
    SQS_QUEUE_URL: "https://sqs.eu-central-1.amazonaws.com/123456789012/nothing",
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "nobody",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_ENDPOINT_URL_SSM: url,
  };
  const args = [CHILD, join(dir, "aws/lambda.mjs"), name, new URL(DATABASE).port];
  const { stdout } = await promisify(execFile)(node, args, { cwd: dir, env });
  return JSON.parse(stdout) as Figures;
}

/** What SSM says of the parameters below a path. */
async function openParameters(): Promise<AsyncDisposable & { readonly url: string }> {
  const names = ["DATABASE_URL", "LEDGER_URL"];
  const Parameters = names.map((name) => ({ Name: `${PATH}/${name}`, Value: DATABASE }));
  const body = JSON.stringify({ Parameters });
  const server = createServer((_, response) => response.end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: close };
}

function lineOf(name: string, figures: readonly Figures[]): string {
  const column = (part: (figure: Figures) => number) => {
    const sorted = figures.map(part).sort((a, b) => a - b);
    const [median, least, most] = [sorted[sorted.length >> 1], sorted[0], sorted.at(-1)];
    return `${median?.toFixed(0)} (${least?.toFixed(0)} to ${most?.toFixed(0)})`.padEnd(20);
  };
  const columns = [column((each) => each.loadedMs), column((each) => each.wallMs)];
  return [name.padEnd(9), ...columns, column((each) => each.cpuMs)].join("  ").trimEnd();
}
