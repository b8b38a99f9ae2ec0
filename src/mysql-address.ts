import { PipelineError } from "./error.ts";
import { type TlsOptions, tlsOf } from "./mysql-tls.ts";

/** Where a MySQL or MariaDB database is and how to sign in, as `mysql2` takes it. */
export interface MysqlAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly socketPath?: string;
  /** Node's TLS options; absent means no TLS. */
  readonly ssl?: TlsOptions;
}

/**
 * Reads `mysql://user:password@host:3306/database`. `?ssl=` says how it is protected, see
 * {@link tlsOf}; `?socketPath=/run/mysqld/mysqld.sock` names a local socket. Other parameters are ignored, so that
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
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const ssl = tlsOf(socketPath === null ? host : "localhost", url.searchParams.get("ssl"));
  return {
    host,
    port: Number(url.port || 3306),
    user,
    password,
    database,
    ...(socketPath !== null && { socketPath }),
    ...(ssl !== undefined && { ssl }),
  };
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
