import { PipelineError } from "../error.ts";
import { type JobRequest, LANES, type Lane } from "../jobs/job.ts";
import type { Scope } from "./token.ts";

/** The body of `POST /v1/rebuilds`, see {@link REBUILD}. */
export interface RebuildBody {
  /** `article:42`, `users:ann` */
  readonly rows?: readonly string[];
  /** Partitions: `tag:scaling` */
  readonly lists?: readonly string[];
  /** `/articles/x/` */
  readonly routes?: readonly string[];
  /** All pages of these kinds. */
  readonly kinds?: readonly string[];
  readonly everything?: boolean;
  readonly lane?: Lane;
  /** Positions of the database that the rows must show. */
  readonly at?: readonly string[];
  readonly debounceMs?: number;
  readonly longestWaitMs?: number;
}

/** Names in one request; an import of more is a build. */
const MAX_NAMES = 1000;
const HOUR_MS = 3_600_000;

const names = (pattern: string) => ({
  type: "array",
  minItems: 1,
  maxItems: MAX_NAMES,
  items: { type: "string", maxLength: 1000, pattern },
});
const wait = { type: "integer", minimum: 0, maximum: HOUR_MS };

/** JSON schema of a {@link RebuildBody}. */
export const REBUILD = {
  type: "object",
  additionalProperties: false,
  properties: {
    rows: names("^[^/:][^:]*:"),
    lists: names("^[^/:][^:]*:"),
    routes: names("^/"),
    kinds: names("^[^:/]+$"),
    everything: { type: "boolean" },
    lane: { enum: LANES },
    at: names("^(mariadb|mysql):"),
    debounceMs: wait,
    longestWaitMs: wait,
  },
  anyOf: ["rows", "lists", "routes", "kinds", "everything"].map((name) => ({ required: [name] })),
};

/**
 * What a body asks for. Everything is a build, in the last lane unless another is named.
 * @throws PipelineError `request_invalid`
 */
export function requestOf(body: RebuildBody): Pick<JobRequest, "work" | "lane"> & Waits {
  const { rows = [], lists = [], routes = [], kinds = [], everything = false } = body;
  const targets = [...rows, ...lists, ...routes];
  if (everything && targets.length + kinds.length > 0) throw tooMuch();
  if (!everything && targets.length + kinds.length === 0) throw nothing();
  const at = body.at && { at: body.at };
  const { debounceMs, longestWaitMs } = body;
  const waits = { debounceMs, longestWaitMs };
  const { lane = everything ? "nightly" : "editor" } = body;
  if (everything && at === undefined) return { work: { is: "build" }, lane, ...waits };
  const named = { targets, ...(kinds.length > 0 && { kinds }), ...(everything && { everything }) };
  return { work: { is: "rebuild", ...named, ...at }, lane, ...waits };
}

type Waits = Pick<JobRequest, "debounceMs" | "longestWaitMs">;

/** What a token must be for, to ask for such a job and to cancel it. */
export function scopesOf({ work, lane }: Pick<JobRequest, "work" | "lane">): readonly Scope[] {
  const isNamed = work.is === "rebuild" && !work.everything;
  return [isNamed ? "rebuild" : "build", ...(lane === "takedown" ? (["takedown"] as const) : [])];
}

function tooMuch(): PipelineError {
  return new PipelineError("request_invalid", "The request names everything, and more.", {
    hint: "Leave `everything` out, or all that is named beside it.",
  });
}

function nothing(): PipelineError {
  return new PipelineError("request_invalid", "The request names nothing.", {
    hint: "Name rows, lists, routes or kinds, or send `everything: true`.",
  });
}
