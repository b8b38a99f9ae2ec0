import { PipelineError } from "../error.ts";
import type { Wired } from "../pipeline.ts";
import type { Adoption, AdoptPrice } from "../verify/adopt.ts";
import type { Args } from "./args.ts";
import type { ExitCode, Io } from "./command.ts";
import { count, counted } from "./format.ts";
import { dollars } from "./price-text.ts";
import type { View } from "./progress.ts";

/** `nightbake verify --adopt`: takes a store over, or says what that would cost. */
export async function adopted(
  wired: Wired,
  { args, io, view }: { readonly args: Args; readonly io: Io; readonly view: View },
): Promise<ExitCode> {
  const { adopt } = await import("../verify/adopt.ts");
  const say = (event: string, value: object, text: string) => {
    view.end();
    io.out.write(args.has("json") ? `${JSON.stringify({ event, ...value })}\n` : text);
  };
  const adoption = await adopt(wired, {
    signal: io.signal,
    emit: view.emit,
    isDryRun: args.has("dry-run"),
    onPrice: (price) => say("price", price, priceText(price)),
  });
  if (adoption !== undefined) say("adopted", adoption, adoptedText(adoption, wired));
  return 0;
}

/** @throws PipelineError `config_invalid` for options that mean nothing together */
export function checkTogether(args: Args): void {
  const isAdopt = args.has("adopt");
  const wrong = (isAdopt ? ["repair", "sample", "url"] : ["dry-run"]).find(args.has);
  if (wrong === undefined) return;
  const message = `--${wrong} means nothing ${isAdopt ? "with" : "without"} --adopt.`;
  throw new PipelineError("config_invalid", message, {
    hint: "`nightbake verify --help` shows what goes together.",
  });
}

function priceText({ objects, lists, heads, usd }: AdoptPrice): string {
  const asked = `${counted(lists, "LIST request")} and ${count(heads)} HEAD`;
  return `${counted(objects, "object")} to look at: ${asked}, ${dollars(usd)} where they are in S3.\n`;
}

/** What was adopted, and what to do before the next build. */
function adoptedText({ adopted: own, foreign }: Adoption, { store }: Pick<Wired, "store">): string {
  const stay = foreign === 0 ? "" : ` ${counted(foreign, "other object")} will not be touched.`;
  const known = store.keepsHeaders
    ? "The next build puts what differs, and deletes those that no page has."
    : "The next build puts what differs; what no page has stays, since files carry no digests.";
  return [
    `${counted(own, "object")} adopted.${stay} ${known}`,
    "Before that build, import what only the lost ledger knew, from your exports:",
    "  nightbake takedown import FILE     pages that were taken down; else they come back",
    "  nightbake redirects import FILE    where pages were before; else their redirects go",
    "  nightbake quarantine import FILE   pages that fail; else no page has their last good versions",
    "A hold after a rollback is over with the ledger that knew of it: do not build until its cause is mended.",
    "",
  ].join("\n");
}
