import { createHash, randomBytes } from "node:crypto";
import { PipelineError, type Problem } from "../error.ts";
import { didYouMean } from "../nearest.ts";

/** What a token may be used for; a request needs one of them, seldom two. */
export const SCOPES = ["read", "rebuild", "build", "takedown", "metrics"] as const;
export type Scope = (typeof SCOPES)[number];

/** So that scanners for leaked secrets know ours. */
const PREFIX = "nbt_";

/** A token of 256 random bits: `nbt_` and 43 characters. It is shown once and kept nowhere. */
export function newToken(): string {
  return PREFIX + randomBytes(32).toString("base64url");
}

/** SHA-256 of a token. No salt and no slow hash: nobody guesses 256 random bits. */
export function tokenHash(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}

/**
 * Reads `read,rebuild`.
 * @throws PipelineError `config_invalid` with every word that is no scope
 */
export function parseScopes(text: string): readonly Scope[] {
  const words = [...new Set(text.split(",").map((each) => each.trim()))];
  const scopes = words.filter(isScope);
  if (scopes.length === words.length) return scopes;
  const problems: readonly Problem[] = words
    .filter((each) => !isScope(each))
    .map((each) => ({
      place: "--scopes",
      message: `There is no scope "${each}".${didYouMean(each, SCOPES)}`,
    }));
  throw new PipelineError("config_invalid", "Some scopes are unknown.", {
    hint: `There are ${SCOPES.join(", ")}.`,
    problems,
  });
}

function isScope(text: string): text is Scope {
  return (SCOPES as readonly string[]).includes(text);
}
