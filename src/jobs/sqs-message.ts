import { PipelineError } from "../error.ts";
import { LANES } from "./job.ts";
import type { Message } from "./queue.ts";

/** SQS delays no message for longer (SQS, "Message timers"). */
const LONGEST_DELAY_S = 900;

/** A message on its way; instants are ms. */
export interface SentMessage {
  readonly message: Message;
  /** When it was sent first: it keeps its age when it is sent again. */
  readonly sentMs: number;
  /** It is not handed out before. */
  readonly readyMs: number;
}

/** What SQS is given of it: whole seconds, so never too short, and no more than it takes. */
export function textOf({ message, sentMs, readyMs }: SentMessage): string {
  const { id, lane, body } = message;
  return JSON.stringify({ id, lane, body, sentMs, readyMs });
}

/** The delay with which it is sent now; one that is too long for SQS takes several times. */
export function delaySeconds({ readyMs }: Pick<SentMessage, "readyMs">, nowMs: number): number {
  return Math.min(LONGEST_DELAY_S, Math.max(0, Math.ceil((readyMs - nowMs) / 1000)));
}

/** @throws PipelineError `input_invalid` for what we never sent; without a word of it, since it may be anything */
export function sentMessage(text: string): SentMessage {
  const { id, lane, body, sentMs, readyMs } = membersOf(text);
  const known = LANES.find((each) => each === lane);
  if (typeof id === "string" && known !== undefined && isObject(body)) {
    if (typeof sentMs === "number" && typeof readyMs === "number") {
      return { message: { id, lane: known, body }, sentMs, readyMs };
    }
  }
  throw new PipelineError("input_invalid", "A message of the queue is none of ours.", {
    hint: "It goes to the dead letters: see who else sends to this queue.",
  });
}

function membersOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
