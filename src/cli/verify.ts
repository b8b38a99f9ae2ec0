import { PipelineError } from "../error.ts";
import type { Wired } from "../pipeline.ts";
import type { Edge } from "../verify/edge.ts";
import type { Checked, Finding, Flaw } from "../verify/finding.ts";
import type { Args } from "./args.ts";
import { COMMON, type Command, type ExitCode, type Io } from "./command.ts";
import { look } from "./look.ts";
import { progressView } from "./progress.ts";
import { plain } from "./terminal.ts";
import { checkedText, findingText } from "./verify-text.ts";

/** Pages read unless it is said how many. */
const SAMPLE = 100;
/** Findings of one kind that are shown; `--json` tells all. */
const EXAMPLES = 10;

/** `nightbake verify` */
export const verifyCommand: Command = {
  name: "verify",
  summary: "Compares the store, and what the CDN serves, with what the ledger says is there.",
  details:
    "Every object is compared by what a listing tells: missing, altered and foreign ones. Some pages, chosen by\n" +
    "chance, are read: their headers, and what readers get of them through the CDN. Nothing is changed, and builds\n" +
    "may go on meanwhile. Exit code 1 when something was found. Listing a million objects takes a thousand\n" +
    "requests of S3's ($0.005).",
  positionals: [],
  options: {
    sample: { value: "N", says: `Pages to read, or all (default ${SAMPLE}; 0 reads none).` },
    url: {
      value: "URL",
      says: "Where readers get the site (default its address, if there is a CDN).",
    },
    ...COMMON,
  },
  examples: [
    { line: "verify", says: "a quick look at everything, a closer one at some pages" },
    { line: "verify --sample all --json", says: "every byte and header, for a program" },
  ],
  async run(args, io) {
    const sample = sampleOf(args.value("sample"));
    return await look(args, io, (wired) => verified(wired, { args, io, sample }));
  },
};

interface Asked {
  readonly args: Args;
  readonly io: Io;
  readonly sample: number;
}

async function verified(wired: Wired, { args, io, sample }: Asked): Promise<ExitCode> {
  const isJson = args.has("json");
  const view = progressView({ ...io, isJson, isVerbose: args.has("verbose") });
  const { verify } = await import("../verify.ts");
  const edge = await edgeOf(wired, args.value("url"));
  const findings: Finding[] = [];
  const shown = new Map<Flaw, number>();
  try {
    const checked = await verify(wired, {
      sample,
      edge,
      signal: io.signal,
      emit: view.emit,
      onFindings(some) {
        if (isJson) for (const each of some) io.out.write(`${JSON.stringify(recordOf(each))}\n`);
        else findings.push(...some.filter(({ flaw }) => count(shown, flaw) <= EXAMPLES));
      },
    });
    view.end();
    tell(io, { isJson, checked, findings, edge });
    return isClean(checked) ? 0 : 1;
  } finally {
    view.end();
  }
}

function tell(
  io: Io,
  told: {
    readonly isJson: boolean;
    readonly checked: Checked;
    readonly findings: readonly Finding[];
    readonly edge: Edge | undefined;
  },
): void {
  const { checked, findings, edge, isJson } = told;
  if (isJson) return void io.out.write(`${JSON.stringify({ event: "verified", ...checked })}\n`);
  for (const each of findings) io.out.write(findingText(each));
  io.out.write(checkedText(checked, { edge: edge?.name, examples: EXAMPLES }));
}

/** A finding as a line of `--json`. */
function recordOf({ flaw, object, page, detail }: Finding) {
  const place = page && { kind: page.kind, route: page.route };
  return { event: "finding", flaw, object, ...place, detail };
}

function isClean({ found }: Checked): boolean {
  return Object.values(found).every((count) => count === 0);
}

function count(counts: Map<Flaw, number>, flaw: Flaw): number {
  const now = (counts.get(flaw) ?? 0) + 1;
  counts.set(flaw, now);
  return now;
}

/** Without a CDN there is nothing between readers and the store that could be old. */
async function edgeOf({ cdn, site }: Wired, url: string | undefined): Promise<Edge | undefined> {
  const origin = url ?? (cdn.isCaching ? site.origin : undefined);
  if (origin === undefined) return undefined;
  const parsed = URL.parse(origin);
  if (parsed !== null && /^https?:$/.test(parsed.protocol)) {
    const { httpEdge } = await import("../verify/edge.ts");
    return httpEdge(parsed.href.replace(/\/$/, ""));
  }
  throw new PipelineError("config_invalid", `--url ${plain(origin)} is no address.`, {
    hint: "Write where the site is served, e.g. https://www.example.com.",
  });
}

function sampleOf(text = String(SAMPLE)): number {
  if (text === "all") return Number.POSITIVE_INFINITY;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new PipelineError("config_invalid", `--sample ${plain(text)} is no number of pages.`, {
    hint: "Write a whole number below a million, or all.",
  });
}
