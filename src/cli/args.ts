import { parseArgs } from "node:util";
import { PipelineError, type Problem } from "../error.ts";
import { didYouMean } from "../nearest.ts";

/** An option of a command. */
export interface OptionSpec {
  /** What its value is called in the help, e.g. `FILE`; without one it is a switch. */
  readonly value?: string;
  readonly short?: string;
  /** What it does, for the help. */
  readonly says: string;
}

/** What a command takes. */
export interface Takes {
  readonly name: string;
  /** Names of the arguments in order; all are needed but those in brackets: `["ACTION", "[FILE]"]`. */
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
}

/** The words after the command's name, checked. */
export interface Args {
  readonly positionals: readonly string[];
  has(option: string): boolean;
  /** Value of an option, the last one when it is given twice; undefined when it is not given. */
  value(option: string): string | undefined;
}

/**
 * Reads a command's arguments. Asking for help needs no other argument.
 * @throws PipelineError `config_invalid` with every unknown, incomplete or superfluous argument
 */
export function readArgs(takes: Takes, argv: readonly string[]): Args {
  const { tokens, positionals } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      Object.entries(takes.options).map(([name, { value, short }]) => [
        name,
        { type: value ? "string" : "boolean", ...(short ? { short } : {}) } as const,
      ]),
    ),
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string | undefined>();
  const problems: Problem[] = [];
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const flaw = optionFlaw(takes.options, token);
    if (flaw) problems.push({ place: token.rawName, message: flaw });
    given.set(token.name, token.value);
  }
  if (!given.has("help")) problems.push(...countFlaws(takes.positionals, positionals));
  if (problems.length > 0) throw refused(takes.name, problems);
  return { positionals, has: (option) => given.has(option), value: (option) => given.get(option) };
}

function optionFlaw(
  options: Takes["options"],
  token: {
    name: string;
    rawName: string;
    value?: string | undefined;
    inlineValue?: boolean | undefined;
  },
): string | undefined {
  const { name, rawName, value, inlineValue } = token;
  if (!Object.hasOwn(options, name)) {
    const known = Object.keys(options).map((each) => `--${each}`);
    return `There is no such option.${didYouMean(rawName, known)}`;
  }
  const wants = options[name]?.value;
  if (!wants) return value === undefined ? undefined : "It takes no value.";
  const isMissing = !value || (!inlineValue && value.startsWith("-"));
  return isMissing ? `It needs a value: ${rawName} ${wants}.` : undefined;
}

function countFlaws(wanted: readonly string[], given: readonly string[]): Problem[] {
  const missing = wanted.slice(given.length).filter((name) => !name.startsWith("["));
  // `TARGET…` and `[TARGET…]` take all that are left.
  const extra = /…\]?$/.test(wanted.at(-1) ?? "") ? [] : given.slice(wanted.length);
  return [
    ...missing.map((place) => ({ place, message: "It is missing." })),
    ...extra.map((place) => ({ place, message: "There is no place for this argument." })),
  ];
}

function refused(command: string, problems: readonly Problem[]): PipelineError {
  const what = problems.length === 1 ? "An argument" : `${problems.length} arguments`;
  const verb = problems.length === 1 ? "is" : "are";
  return new PipelineError("config_invalid", `${what} of ${command} ${verb} wrong.`, {
    hint: `\`nightbake ${command} --help\` shows what it takes.`,
    problems,
  });
}
