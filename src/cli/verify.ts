import { PipelineError } from "../error.ts";
import type { Viewer } from "../invalidate/viewer.ts";
import type { Wired } from "../pipeline.ts";
import type { Checked } from "../verify/finding.ts";
import type { Damage } from "../verify/repair.ts";
import type { Args } from "./args.ts";
import { COMMON, type Command, configOf, type ExitCode, type Io } from "./command.ts";
import { look } from "./look.ts";
import { progressView, type View } from "./progress.ts";
import { failed } from "./run-build.ts";
import { plain } from "./terminal.ts";
import { adopted, checkTogether } from "./verify-adopt.ts";
import { checkedText, openFindings, repairedText } from "./verify-text.ts";

/** Pages read unless it is said how many. */
const SAMPLE = 100;

/** `nightbake verify` */
export const verifyCommand: Command = {
  name: "verify",
  summary: "Compares the store, and what the CDN serves, with what the ledger says is there.",
  details:
    "Every object is compared by what a listing tells: missing, altered and foreign ones. Some pages, chosen by\n" +
    "chance, are read: their headers, and what readers get of them through the CDN. Without --repair nothing is\n" +
    "changed, and builds may go on meanwhile. Exit code 1 when something was found, or is left after --repair.\n" +
    "Foreign objects are told and never deleted. Listing a million objects takes a thousand requests of S3's\n" +
    "($0.005).\n\n" +
    "With --adopt a ledger that knows no pages learns from the store which objects are ours, by the digests that they\n" +
    "carry. The next build then puts only what differs, and deletes what is ours and no page's; a folder keeps no\n" +
    "digests, so what is no page's stays there. All copies at the CDN are evicted once. What only the lost ledger knew\n" +
    "has to be imported before that build. Nothing else may publish meanwhile; after a publisher died, wait half an hour.",
  positionals: [],
  options: {
    sample: { value: "N", says: `Pages to read, or all (default ${SAMPLE}; 0 reads none).` },
    adopt: { says: "Takes over a store whose ledger was lost, for one that knows no pages." },
    "dry-run": { says: "With --adopt: says what that would cost and changes nothing." },
    repair: {
      says: "Builds the pages that were found again, and invalidates those that are stale.",
    },
    url: {
      value: "URL",
      says: "Where readers get the site (default PROBE_URL, or its address if there is a CDN).",
    },
    ...COMMON,
  },
  examples: [
    { line: "verify", says: "a quick look at everything, a closer one at some pages" },
    { line: "verify --sample all --json", says: "every byte and header, for a program" },
    { line: "verify --repair", says: "and puts right what is wrong" },
    { line: "verify --adopt --dry-run", says: "what it costs to take over a store" },
  ],
  async run(args, io) {
    checkTogether(args);
    const sample = sampleOf(args.value("sample"));
    const view = progressView({ ...io, isJson: args.has("json"), isVerbose: args.has("verbose") });
    try {
      return await look(args, io, (wired) =>
        args.has("adopt")
          ? adopted(wired, { args, io, view })
          : verified(wired, { args, io, sample, view }),
      );
    } catch (error) {
      view.end();
      const [isJson, isVerbose] = [args.has("json"), args.has("verbose")];
      return failed(error, view, io, { isJson, isVerbose, isDryRun: !args.has("repair") });
    }
  },
};

interface Asked {
  readonly args: Args;
  readonly io: Io;
  readonly sample: number;
  readonly view: View;
}

async function verified(wired: Wired, asked: Asked): Promise<ExitCode> {
  const { args, io, sample, view } = asked;
  const [{ verify }, { openDamage }] = await Promise.all([
    import("../verify.ts"),
    import("../verify/repair.ts"),
  ]);
  const edge = await edgeOf(wired, args.value("url") ?? configOf(args, io).probeUrl);
  const shown = openFindings(io.out, { isJson: args.has("json") });
  const found = openDamage();
  const options = { edge, signal: io.signal, emit: view.emit };
  const checked = await verify(wired, {
    ...options,
    sample,
    onFindings(some) {
      shown.add(some);
      found.add(some);
    },
  });
  view.end();
  shown.end();
  tell(io, args, { checked, edge });
  const damage = found.damage();
  const isWhole = !args.has("repair") || damage.findings.length === 0;
  if (isWhole) return isClean(checked) ? 0 : 1;
  return await repaired(wired, asked, { damage, edge, checked });
}

async function repaired(
  wired: Wired,
  { args, io, sample, view }: Asked,
  {
    damage,
    edge,
    checked,
  }: {
    readonly damage: Damage;
    readonly edge: Viewer | undefined;
    readonly checked: Checked;
  },
): Promise<ExitCode> {
  const [{ verifyPages }, { repair }] = await Promise.all([
    import("../verify.ts"),
    import("../verify/repair.ts"),
  ]);
  const options = { edge, signal: io.signal, emit: view.emit };
  const summary = await repair(wired, damage, { ...options, sample });
  const shown = openFindings(io.out, { isJson: args.has("json") });
  const pages = damage.findings.flatMap(({ page }) => page ?? []);
  const left = await verifyPages(wired, pages, { ...options, onFindings: shown.add });
  view.end();
  shown.end();
  const value = { event: "repaired", pages: left.pages, left: left.found };
  if (args.has("json")) io.out.write(`${JSON.stringify(value)}\n`);
  else io.out.write(repairedText(left));
  const { foreign, unreachable } = checked.found;
  return summary.failed === 0 && isClean(left) && foreign + unreachable === 0 ? 0 : 1;
}

function tell(
  io: Io,
  args: Args,
  { checked, edge }: { readonly checked: Checked; readonly edge: Viewer | undefined },
): void {
  if (args.has("json")) io.out.write(`${JSON.stringify({ event: "verified", ...checked })}\n`);
  else io.out.write(checkedText(checked, edge?.name));
}

function isClean({ found }: Checked): boolean {
  return Object.values(found).every((count) => count === 0);
}

/** Without a CDN there is nothing between readers and the store that could be old. */
async function edgeOf({ cdn, site }: Wired, url: string | undefined): Promise<Viewer | undefined> {
  const origin = url ?? (cdn.isCaching ? site.origin : undefined);
  if (origin === undefined) return undefined;
  const parsed = URL.parse(origin);
  if (parsed !== null && /^https?:$/.test(parsed.protocol) && !hasUser(parsed)) {
    const { httpViewer } = await import("../invalidate/viewer.ts");
    return httpViewer(parsed.href.replace(/\/$/, ""));
  }
  // Its value may hold a password.
  throw new PipelineError("config_invalid", "--url is no address that can be asked.", {
    hint: "Write where the site is served, without user and password, e.g. https://www.example.com.",
  });
}

/** Nobody can be asked at such an address: the platform's fetch refuses it. */
function hasUser({ username, password }: URL): boolean {
  return username !== "" || password !== "";
}

function sampleOf(text = String(SAMPLE)): number {
  if (text === "all") return Number.POSITIVE_INFINITY;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new PipelineError("config_invalid", `--sample ${plain(text)} is no number of pages.`, {
    hint: "Write a whole number below a million, or all.",
  });
}
