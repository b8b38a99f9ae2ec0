import type { Remote, RemoteEvent } from "../control/remote.ts";
import { type ErrorCode, PipelineError } from "../error.ts";
import type { RunPhase, Summary } from "../events.ts";
import { type JobOutcome, LANES, type Lane } from "../jobs/job.ts";
import { didYouMean } from "../nearest.ts";
import type { Args } from "./args.ts";
import { configOf, type ExitCode, type Io } from "./command.ts";
import { count, counted, duration } from "./format.ts";
import { progressView, type View } from "./progress.ts";
import { failed } from "./run-build.ts";
import { plain } from "./terminal.ts";

/** URLs that are printed; `--json` has all that the server tells. */
const SHOWN_PAGES = 10;

/** Asks a server for the rebuild, shows how far it is, and ends when all of it is live. */
export async function rebuildRemotely(args: Args, io: Io): Promise<ExitCode> {
  const asked = { isJson: args.has("json"), isVerbose: args.has("verbose"), isDryRun: false };
  const view = progressView({ ...io, ...asked });
  try {
    return await rebuilt(args, io, view);
  } catch (error) {
    view.end();
    return failed(error, view, io, asked);
  }
}

async function rebuilt(args: Args, io: Io, view: View): Promise<ExitCode> {
  const remote = remoteOf(args, io);
  const body = bodyOf(args);
  const { jobEvents, requestRebuild } = await import("../control/remote.ts");
  if (isOpenToOthers(remote.url)) view.emit({ event: "note", message: READABLE });
  const job = await requestRebuild(remote, body);
  view.emit({
    event: "note",
    message: `Job ${plain(job)} was asked for; it goes on without this command.`,
  });
  let outcome: JobOutcome | undefined;
  for await (const event of jobEvents(remote, job)) outcome = shown(event, view) ?? outcome;
  if (outcome === undefined) throw new TypeError("A job was done without an outcome.");
  view.emit({ event: "summary", summary: summaryOf(outcome) });
  io.out.write(
    args.has("json") ? `${JSON.stringify({ event: "live", ...outcome })}\n` : liveText(outcome),
  );
  return outcome.failed > 0 ? 1 : 0;
}

/** Shows one event; gives what became of the job when it tells that. */
function shown({ event, data }: RemoteEvent, view: View): JobOutcome | undefined {
  const text = (name: string) => (typeof data[name] === "string" ? data[name] : "");
  switch (event) {
    case "started":
      view.emit({ event: "note", message: `It runs, attempt ${data["attempt"]}.` });
      return undefined;
    case "progress":
      progress(data as { phase: RunPhase; done: number; total?: number }, view);
      return undefined;
    case "failed-row":
      view.emit({ event: "failed", kind: text("kind"), key: text("key"), error: errorOf(data) });
      return undefined;
    case "note":
      if (data["code"] === undefined) view.emit({ event: "note", message: text("message") });
      else view.emit({ event: "warning", error: errorOf(data) });
      return undefined;
    case "again":
      view.emit({ event: "note", message: `It is tried again: ${text("message")}` });
      return undefined;
    case "live":
      return data as unknown as JobOutcome;
    case "failed":
      throw errorOf(data);
    case "cancelled":
      throw new PipelineError("interrupted", "The job was cancelled.");
    default:
      return undefined;
  }
}

function progress(of: { phase: RunPhase; done: number; total?: number }, view: View): void {
  const { phase, done, total } = of;
  const known = total === undefined ? {} : { total };
  if (view.state().phase !== phase) view.emit({ event: "phase", phase, ...known });
  view.emit({ event: "progress", phase, done, ...known });
}

function errorOf(data: RemoteEvent["data"]): PipelineError {
  const { code, message, hint, at } = data as {
    code: ErrorCode;
    message: string;
    hint?: string;
    at?: PipelineError["at"];
  };
  return new PipelineError(code, message, { ...(hint && { hint }), ...(at && { at }) });
}

/** A local run counts by kind; a server tells the sums. */
function summaryOf(outcome: JobOutcome): Summary {
  const { releases, candidates, rendered, changed, deleted, failed, invalidated, bytes, seconds } =
    outcome;
  const counts = { candidates, rendered, changed, deleted, failed, bytes };
  return {
    ...counts,
    release: releases.at(-1),
    isDryRun: false,
    seconds,
    invalidated,
    ...{ covers: [], unlinked: 0, waiting: 0, found: [], kinds: [], causes: [], steps: [] },
  };
}

function liveText({ pages, changed, seconds }: JobOutcome): string {
  const some = pages.slice(0, SHOWN_PAGES).map(({ url }) => `  ${plain(url)}\n`);
  const more = changed - some.length;
  const rest = some.length > 0 && more > 0 ? `  and ${count(more)} more\n` : "";
  const what = changed === 0 ? "All of it is live" : `${counted(changed, "page")} live`;
  return `${what} ${duration(seconds)} after the request.\n${some.join("")}${rest}`;
}

/** @throws PipelineError `config_invalid` without a URL or a token */
function remoteOf(args: Args, io: Io): Remote {
  const url = URL.parse(args.value("remote") ?? "");
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash) {
    throw new PipelineError("config_invalid", "--remote is no server's URL.", {
      hint: "It must be like https://bake.example.com, without user, password or anything behind.",
    });
  }
  const { token } = configOf(args, io);
  if (token === undefined) {
    throw new PipelineError("config_invalid", "There is no token to ask the server with.", {
      hint: "Set NIGHTBAKE_TOKEN, or NIGHTBAKE_TOKEN_FILE; `nightbake tokens add` makes one there.",
    });
  }
  return { url: url.href.replace(/\/+$/, ""), token, signal: io.signal };
}

const READABLE = "The server's URL is http: whoever is on the way can read the token.";

function isOpenToOthers(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** @throws PipelineError `config_invalid` for what only a local rebuild can do */
function bodyOf(args: Args) {
  const targets = args.positionals;
  const local = ["dry-run", "allow-deletes"].find((each) => args.has(each));
  const file = targets.find((each) => each === "-" || /\.ndjson(\.gz)?$/.test(each));
  if (local !== undefined || file !== undefined) {
    const what = local === undefined ? "change records" : `--${local}`;
    throw new PipelineError("config_invalid", `A server takes no ${what}.`, {
      hint: "Name rows, lists and routes, or run the command without --remote.",
    });
  }
  const routes = targets.filter((each) => each.startsWith("/"));
  const rows = targets.filter((each) => !each.startsWith("/"));
  const at = args.value("at");
  return {
    ...(rows.length > 0 && { rows }),
    ...(routes.length > 0 && { routes }),
    ...(at !== undefined && { at: [at] }),
    lane: laneOf(args.value("lane")),
  };
}

function laneOf(text = "editor"): Lane {
  const lane = LANES.find((each) => each === text);
  if (lane !== undefined) return lane;
  throw new PipelineError("config_invalid", `There is no lane ${text}.${didYouMean(text, LANES)}`, {
    hint: `There are ${LANES.join(", ")}.`,
  });
}
