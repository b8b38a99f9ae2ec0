import { PipelineError } from "../error.ts";
import type { KnownCode, Ledger } from "../ledger/ledger.ts";
import { didYouMean } from "../nearest.ts";
import type { Args } from "./args.ts";
import { COMMON, type Command, configOf, type ExitCode, type Io } from "./command.ts";
import { instant, table } from "./format.ts";
import { look } from "./look.ts";

const ACTIONS = ["list", "activate"];

/** `nightbake code [ACTION] [CODE]` */
export const codeCommand: Command = {
  name: "code",
  summary: "Lists the code that workers have had, and makes one the current one.",
  details:
    "ACTION is list (the default) or activate. Code is all that pages are made of beside rows: templates,\n" +
    "content, assets, the site definition, Nightbake itself and its runtime, as one fingerprint. Workers with\n" +
    "other code than the current one publish nothing. A worker makes code that nobody had before the current\n" +
    "one by itself; going back to older code has to be said, here or with `nightbake worker --activate`.\n" +
    "activate means this machine's code, or CODE, one of the list.",
  positionals: ["[ACTION]", "[CODE]"],
  options: COMMON,
  examples: [
    { line: "code", says: "which code is current, and since when" },
    { line: "code activate", says: "after a release was taken back" },
    { line: "code activate 0a1b2c…", says: "the same, from a machine that has other code" },
  ],
  async run(args, io) {
    const [action = "list", code] = args.positionals;
    if (!ACTIONS.includes(action)) throw unknownAction(action);
    if (action === "activate" && code === undefined) return await activateOwn(args, io);
    const { openLedger } = await import("../wiring-ledger.ts");
    await using ledger = await openLedger(configOf(args, io));
    const codes = await ledger.codes();
    if (code !== undefined) return await activate(ledger, { action, code, codes }, { args, io });
    if (args.has("json")) for (const each of codes) io.out.write(lineOf(each));
    else io.out.write(textOf(codes));
    return 0;
  },
};

interface Telling {
  readonly args: Args;
  readonly io: Io;
}

async function activateOwn(args: Args, io: Io): Promise<ExitCode> {
  return await look(args, io, async (wired) => {
    const { codeOf } = await import("../jobs/code.ts");
    const code = codeOf(wired);
    await wired.ledger.meetCode(code, { at: Date.now() * 1000, isActivated: true });
    return tellActivated(code, { args, io });
  });
}

/** Another machine's: what this one would make pages of does not matter. */
async function activate(
  ledger: Pick<Ledger, "meetCode">,
  named: { readonly action: string; readonly code: string; readonly codes: readonly KnownCode[] },
  telling: Telling,
): Promise<ExitCode> {
  const { action, code, codes } = named;
  const isKnown = codes.some(({ fingerprint }) => fingerprint === code);
  if (action !== "activate" || !isKnown) throw unknownCode(code);
  await ledger.meetCode(code, { at: Date.now() * 1000, isActivated: true });
  return tellActivated(code, telling);
}

function tellActivated(code: string, { args, io }: Telling): ExitCode {
  const line = JSON.stringify({ event: "activated", fingerprint: code });
  io.out.write(args.has("json") ? `${line}\n` : `The code ${code} is current.\n`);
  return 0;
}

function lineOf({ firstSeenAt, activatedAt, ...rest }: KnownCode): string {
  const moments = { firstSeenAt: instant(firstSeenAt), activatedAt: instant(activatedAt) };
  return `${JSON.stringify({ event: "code", ...rest, ...moments })}\n`;
}

function textOf(codes: readonly KnownCode[]): string {
  if (codes.length === 0) return "No worker has told its code yet.\n";
  const rows = codes.map(({ fingerprint, firstSeenAt, activatedAt, isCurrent }) => [
    fingerprint,
    instant(firstSeenAt),
    instant(activatedAt),
    isCurrent ? "current" : "",
  ]);
  return table([["Code", "First seen", "Activated", ""], ...rows]);
}

function unknownAction(action: string): PipelineError {
  const message = `There is no action ${action}.${didYouMean(action, ACTIONS)}`;
  return new PipelineError("config_invalid", message, { hint: `There are ${ACTIONS.join(", ")}.` });
}

function unknownCode(code: string): PipelineError {
  return new PipelineError("config_invalid", `No worker has had the code ${code}.`, {
    hint: "`nightbake code` lists those that can be activated.",
  });
}
