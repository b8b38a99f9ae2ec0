import { PipelineError } from "./error.ts";

/** Where a MySQL or MariaDB database is and how to sign in, as `mysql2` takes it. */
export interface MysqlAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly socketPath?: string;
  /** Node's TLS options; absent means no TLS. */
  readonly ssl?: Readonly<Record<string, unknown>>;
}

/**
 * Reads `mysql://user:password@host:3306/database`. `?ssl=true` asks for TLS with a verified
 * certificate, `?ssl=skip-verify` for TLS without, `?ssl={"ca":"…"}` gives Node's TLS options;
 * `?socketPath=/run/mysqld/mysqld.sock` names a local socket. Other parameters are ignored, so that
 * a URL cannot set options of the driver.
 * @throws PipelineError `config_invalid` when the URL is none of these; it does not repeat it
 */
export function mysqlAddress(text: string): MysqlAddress {
  const url = URL.parse(text);
  const [user, password, database] = [url?.username, url?.password, url?.pathname.slice(1)].map(
    (part) => decoded(part ?? ""),
  );
  const isComplete = url !== null && user !== undefined && password !== undefined && database;
  if (!isComplete || !/^(mysql|mariadb):$/.test(url.protocol)) throw invalid();
  const socketPath = url.searchParams.get("socketPath");
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || 3306),
    user,
    password,
    database,
    ...(socketPath !== null && { socketPath }),
    ...tlsOf(url.searchParams.get("ssl")),
  };
}

function tlsOf(ssl: string | null): Pick<MysqlAddress, "ssl"> {
  if (ssl === null || ssl === "false") return {};
  if (ssl === "true") return { ssl: {} };
  if (ssl === "skip-verify") return { ssl: { rejectUnauthorized: false } };
  try {
    return { ssl: JSON.parse(ssl) };
  } catch {
    throw new PipelineError("config_invalid", "The database URL's ssl option is not understood.", {
      hint: 'Write ssl=true, ssl=skip-verify or ssl={"ca":"…"} (percent-encoded JSON of Node\'s TLS options).',
    });
  }
}

/** The URL is not passed on, as cause or otherwise: it holds the password. */
function invalid(): PipelineError {
  return new PipelineError("config_invalid", "The database URL is not of the form it must have.", {
    hint: "Write mysql://user:password@host:3306/database, with special characters percent-encoded.",
  });
}

/** Undefined for broken encoding. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
