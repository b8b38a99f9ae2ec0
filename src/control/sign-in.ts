import { timingSafeEqual } from "node:crypto";
import { PipelineError } from "../error.ts";
import type { KeptToken, Ledger } from "../ledger/ledger.ts";
import type { Limiter } from "./rate.ts";
import { type Scope, tokenHash } from "./token.ts";

/** What a request says of who asks. */
export interface Credential {
  readonly authorization: string | undefined;
  /** Where it came from; strangers are counted by it. */
  readonly address: string;
}

/**
 * Finds the token of a request that needs one of these scopes.
 * @throws PipelineError `credential_rejected`, `scope_missing`, `rate_limited`
 */
export type SignIn = (credential: Credential, scopes: readonly Scope[]) => Promise<KeptToken>;

/** 256 bits in base64url behind our prefix; nothing else needs to be looked up. */
const BEARER = /^Bearer +(nbt_[A-Za-z0-9_-]{43}) *$/i;
/** Last uses are written no more often than this, ms. */
const USED_EVERY = 60_000;

/** What signing in needs. */
export interface SignInParts extends Acquaintances {
  readonly ledger: Pick<Ledger, "tokens" | "usedToken">;
  /** ms */
  readonly now: () => number;
}

/** Whom a process knows of earlier requests. */
export interface Acquaintances {
  /** Of tokens, by name. */
  readonly askers: Limiter;
  /** Of addresses whose tokens were none. */
  readonly strangers: Limiter;
  /** When the last use of each token was written, by name; ms. */
  readonly usedAt: Map<string, number>;
  /** Of tokens that were good before: who has one is no stranger, whatever the address. */
  readonly hashes: Set<string>;
}

/** Tokens as the ledger has them at that moment: one that is revoked is refused by every clone at once. */
export function signingIn(parts: SignInParts): SignIn {
  const { ledger, askers, strangers, usedAt, hashes, now } = parts;
  return async ({ authorization = "", address }, scopes) => {
    const [, text] = BEARER.exec(authorization) ?? [];
    const token = text === undefined ? undefined : await known(text, address);
    if (token === undefined) throw stranger(address);
    const wait = askers.take(token.name);
    if (wait !== undefined) throw tooMany(wait);
    await noteUse(token);
    if (!scopes.some((each) => token.scopes.includes(each))) throw scopeMissing(token, scopes);
    return token;
  };

  async function known(text: string, address: string): Promise<KeptToken | undefined> {
    const hash = tokenHash(text);
    const id = Buffer.from(hash).toString("base64");
    const wait = hashes.has(id) ? undefined : strangers.waitOf(address);
    if (wait !== undefined) throw tooMany(wait);
    const token = among(hash, await ledger.tokens());
    if (token === undefined) hashes.delete(id);
    else hashes.add(id);
    return token;
  }

  function stranger(address: string): PipelineError {
    const wait = strangers.take(address);
    return wait === undefined ? rejected() : tooMany(wait);
  }

  async function noteUse({ name }: KeptToken): Promise<void> {
    const at = now();
    if (at - (usedAt.get(name) ?? Number.NEGATIVE_INFINITY) < USED_EVERY) return;
    usedAt.set(name, at);
    await ledger.usedToken(name, at * 1000);
  }
}

/** The good token of this hash. Each is compared, in constant time, whichever it is. */
function among(hash: Uint8Array, kept: readonly KeptToken[]): KeptToken | undefined {
  const [found] = kept.filter((each) => timingSafeEqual(each.hash, hash));
  return found?.revokedAt === undefined ? found : undefined;
}

/** The same for none, an unknown and a revoked one. */
function rejected(): PipelineError {
  return new PipelineError("credential_rejected", "The request has no good token.", {
    hint: "Send `Authorization: Bearer nbt_…`; `nightbake tokens add NAME` makes one.",
  });
}

/** A good token that is not for this. */
export function scopeMissing(
  { name }: Pick<KeptToken, "name">,
  scopes: readonly Scope[],
): PipelineError {
  const message = `The token ${name} is not for this: it lacks the scope ${scopes.join(" or ")}.`;
  return new PipelineError("scope_missing", message, {
    hint: "Use one that has it: `nightbake tokens add NAME --scopes LIST` makes one.",
  });
}

function tooMany(seconds: number): PipelineError {
  return new PipelineError("rate_limited", "There were too many requests in the last minute.", {
    hint: `Ask again in ${seconds} s.`,
    at: { seconds: String(seconds) },
  });
}
