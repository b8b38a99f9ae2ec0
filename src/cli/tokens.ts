import { PipelineError } from "../error.ts";
import type { KeptToken, Ledger } from "../ledger/ledger.ts";
import { didYouMean } from "../nearest.ts";
import type { Args } from "./args.ts";
import { COMMON, type Command, configOf, type ExitCode, type Io } from "./command.ts";
import { instant, table } from "./format.ts";

const DEFAULT_SCOPES = "read,rebuild";

/** `nightbake tokens ACTION [NAME]` */
export const tokensCommand: Command = {
  name: "tokens",
  summary: "Adds, lists and revokes the tokens with which programs use the HTTP API.",
  details:
    "ACTION is add, list or revoke. A new token is written to the standard output once and kept nowhere: the\n" +
    "ledger has its SHA-256. One that is revoked is refused at once, and its name is not given again.\n" +
    "Scopes: read (jobs and their events), rebuild (what is named), build (everything), takedown (the first\n" +
    "lane, beside one of the two), metrics.",
  positionals: ["ACTION", "[NAME]"],
  options: {
    scopes: {
      value: "LIST",
      says: `What it may be used for, with commas between (default ${DEFAULT_SCOPES}).`,
    },
    ...COMMON,
  },
  examples: [
    { line: "tokens add cms", says: "for an editor's system: rebuilds, and how far they are" },
    { line: "tokens add prometheus --scopes metrics", says: "for one that only looks at numbers" },
    { line: "tokens list", says: "who has one, and when it was used last" },
    { line: "tokens revoke cms", says: "it leaked" },
  ],
  async run(args, io) {
    const [action = "", name] = args.positionals;
    const act = ACTIONS[action];
    if (act === undefined) throw unknownAction(action);
    const { openLedger } = await import("../wiring-ledger.ts");
    await using ledger = await openLedger(configOf(args, io));
    return await act(ledger, { args, io, name });
  },
};

interface Asked {
  readonly args: Args;
  readonly io: Io;
  readonly name: string | undefined;
}

const ACTIONS: Readonly<Record<string, (ledger: Ledger, asked: Asked) => Promise<ExitCode>>> = {
  add,
  list,
  revoke,
};

async function add(ledger: Ledger, { args, io, name }: Asked): Promise<ExitCode> {
  const { newToken, parseScopes, tokenHash } = await import("../control/token.ts");
  const scopes = parseScopes(args.value("scopes") ?? DEFAULT_SCOPES);
  const token = newToken();
  const kept = { name: nameOf(name), hash: tokenHash(token), scopes, createdAt: microseconds() };
  if (!(await ledger.addToken(kept))) throw taken(kept.name);
  if (args.has("json")) {
    io.out.write(`${JSON.stringify({ event: "token", name, scopes, token })}\n`);
    return 0;
  }
  io.out.write(`${token}\n`);
  io.err.write(`This is the token of ${name}, for ${scopes.join(", ")}; it is not shown again.\n`);
  return 0;
}

async function list(ledger: Ledger, { args, io }: Asked): Promise<ExitCode> {
  const tokens = await ledger.tokens();
  if (args.has("json")) for (const each of tokens) io.out.write(lineOf(each));
  else io.out.write(textOf(tokens));
  return 0;
}

async function revoke(ledger: Ledger, { args, io, name }: Asked): Promise<ExitCode> {
  const known = nameOf(name);
  if (!(await ledger.revokeToken(known, microseconds()))) throw unknownToken(known);
  if (args.has("json")) io.out.write(`${JSON.stringify({ event: "revoked", name })}\n`);
  else io.out.write(`The token of ${known} is refused from now on.\n`);
  return 0;
}

function lineOf({ name, scopes, createdAt, usedAt, revokedAt }: KeptToken): string {
  const moment = (at: number | undefined) => (at === undefined ? undefined : instant(at));
  const moments = {
    createdAt: instant(createdAt),
    usedAt: moment(usedAt),
    revokedAt: moment(revokedAt),
  };
  return `${JSON.stringify({ event: "token", name, scopes, ...moments })}\n`;
}

function textOf(tokens: readonly KeptToken[]): string {
  if (tokens.length === 0) return "There is no token.\n";
  const rows = tokens.map((each) => [
    each.name,
    each.scopes.join(","),
    instant(each.createdAt),
    each.usedAt === undefined ? "never" : instant(each.usedAt),
    each.revokedAt === undefined ? "" : instant(each.revokedAt),
  ]);
  return table([["Name", "Scopes", "Created", "Used", "Revoked"], ...rows]);
}

/** @throws PipelineError `config_invalid` for none, or one that logs could not show as it is */
function nameOf(name = ""): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) return name;
  throw new PipelineError("config_invalid", "A token needs a name that says who has it.", {
    hint: "Write up to 63 letters, digits, dots, dashes and underscores, like cms or anna.laptop.",
  });
}

function taken(name: string): PipelineError {
  const message = `There is, or was, a token of the name ${name}.`;
  const hint = "Choose another name, like one with a year; revoke this one when nobody needs it.";
  return new PipelineError("config_invalid", message, { hint });
}

function unknownToken(name: string): PipelineError {
  const message = `There is no token of the name ${name} that could be revoked.`;
  return new PipelineError("config_invalid", message, {
    hint: "`nightbake tokens list` shows them.",
  });
}

function unknownAction(action: string): PipelineError {
  const names = Object.keys(ACTIONS);
  const message = `There is no action ${action}.${didYouMean(action, names)}`;
  return new PipelineError("config_invalid", message, { hint: `There are ${names.join(", ")}.` });
}

/** Now, µs. */
function microseconds(): number {
  return Date.now() * 1000;
}
