import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { PipelineError } from "./error.ts";

/** Node's TLS options, as `mysql2` takes them. */
export type TlsOptions = Readonly<Record<string, unknown>>;

/** What to do about what the driver says of TLS, by its code. */
export const TLS_HINTS: Readonly<Record<string, string>> = {
  HANDSHAKE_NO_SSL_SUPPORT:
    "Turn on TLS at the server or, in a network that you trust, write ?ssl=false behind its URL.",
  HANDSHAKE_SSL_ERROR:
    "Name the file of the authority that signed the server's certificate in DATABASE_CA_FILE or with ?ssl=/path/ca.pem behind its URL.",
};

const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/;

/**
 * How a connection to `host` is protected, from the URL's `ssl`: `true` for TLS with a certificate
 * that is verified, also that it is the host's; a PEM file of the authority that signed it;
 * `skip-verify`; `false`; `{"ca":"…"}`, Node's TLS options. Without it `true`, on this machine `false`.
 * @throws PipelineError `config_invalid` when it is none of these, or nothing can be verified
 */
export function tlsOf(host: string, ssl: string | null): TlsOptions | undefined {
  const asked = ssl ?? String(!LOOPBACK.test(host));
  if (asked === "false") return undefined;
  if (asked === "skip-verify") return { rejectUnauthorized: false };
  if (asked === "true") return verified(host, {});
  if (asked.startsWith("{")) return verified(host, parsed(asked));
  if (!/^\.{0,2}\//.test(asked)) throw notUnderstood();
  return verified(host, { ca: readAuthority(asked) });
}

/** The driver checks no name unless told so, and knows none of a numeric address. */
function verified(host: string, options: TlsOptions): TlsOptions {
  if (options["rejectUnauthorized"] === false) return options;
  if (isIP(host) === 0) return { verifyIdentity: true, ...options };
  if (options["ca"] !== undefined) return options;
  const message = `A certificate of ${host} cannot be verified: public authorities vouch for names, not for addresses.`;
  throw new PipelineError("config_invalid", message, {
    hint: "Write the server's name in the URL, or name the file of your own authority in DATABASE_CA_FILE or with ssl=/path/ca.pem; in a network that you trust, ssl=false.",
  });
}

function readAuthority(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const message = `The certificate authority's file ${file} cannot be read.`;
    throw new PipelineError("config_invalid", message, { at: { file }, cause });
  }
}

function parsed(text: string): TlsOptions {
  try {
    return JSON.parse(text);
  } catch {
    throw notUnderstood();
  }
}

function notUnderstood(): PipelineError {
  return new PipelineError("config_invalid", "The database URL's ssl option is not understood.", {
    hint: 'Write ssl=true, ssl=/path/ca.pem, ssl=skip-verify, ssl=false or ssl={"ca":"…"} (percent-encoded JSON of Node\'s TLS options).',
  });
}
