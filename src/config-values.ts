import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** How a value is read (undefined: refused), and what to say then. Never the value: it may be secret. */
export interface ValueType<T> {
  readonly expects: string;
  parse(text: string): T | undefined;
}

const PASSWORD_HINT = "characters such as # / ? @ % in a password must be percent-encoded";
/** A MySQL or MariaDB server and a database on it. */
const MYSQL = url(
  ({ protocol, hostname, pathname }) =>
    /^(mysql|mariadb):$/.test(protocol) && hostname !== "" && pathname.length > 1,
  `It must be a URL like mysql://user:password@host:3306/database; ${PASSWORD_HINT}.`,
);
/**
 * The same, given back with what stands in files: the password where the URL has none, and the
 * certificate authority where it does not say how it is protected.
 */
export function mysqlWith(files: {
  readonly passwordFile: string | undefined;
  readonly caFile: string | undefined;
}): ValueType<string> {
  const { passwordFile, caFile } = files;
  return {
    expects: `${MYSQL.expects} A password file that is named must be there and hold one.`,
    parse(text) {
      const url = MYSQL.parse(text) === undefined ? null : URL.parse(text);
      if (url === null) return undefined;
      if (url.password === "" && passwordFile !== undefined) {
        const password = passwordIn(passwordFile);
        if (password === "") return undefined;
        url.password = encodeURIComponent(password);
      }
      if (caFile !== undefined && !url.searchParams.has("ssl")) url.searchParams.set("ssl", caFile);
      return passwordFile === undefined && caFile === undefined ? text : url.href;
    },
  };
}

/** Without the end of its line, which editors add; empty when the file cannot be read. */
function passwordIn(file: string): string {
  try {
    return readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } catch {
    return "";
  }
}

/** How a build finds out which rows changed. */
export const CHANGE_FEED: ValueType<"scan" | "binlog"> = {
  expects:
    "It must be scan, which compares every row, or binlog, which asks the database's log first.",
  parse: (text) => (text === "scan" || text === "binlog" ? text : undefined),
};
/** A Redis server. */
export const REDIS = url(
  ({ protocol, hostname }) => /^rediss?:$/.test(protocol) && hostname !== "",
  `It must be a URL like redis://:password@host:6379; ${PASSWORD_HINT}.`,
);
/** What the URLs of our queues of SQS begin with; their names end with a lane's, and have 80 letters at most. */
export const QUEUE = url(
  ({ protocol, username, password, pathname, search }) =>
    /^https?:$/.test(protocol) &&
    username + password + search === "" &&
    /^\/\d{12}\/[\w-]{1,71}$/.test(pathname),
  "It must be a URL like https://sqs.eu-central-1.amazonaws.com/123456789012/nightbake: of the queues nightbake-takedown, nightbake-editor and so on.",
);
/** A path of SSM's Parameter Store, given back without "/" at its end. */
export const SSM_PATH: ValueType<string> = {
  expects: "It must be a path of SSM parameters, like /nightbake/prod.",
  parse(text) {
    const path = text.replace(/\/$/, "");
    return /^(\/[\w.-]+){1,14}$/.test(path) ? path : undefined;
  },
};
/** A server that speaks HTTP. */
export const HTTP = url(
  ({ protocol, username, password }) =>
    /^https?:$/.test(protocol) && username === "" && password === "",
  "It must be a URL like https://host, without user or password.",
);
/** Scheme and host, given back without "/" at the end. */
export const ORIGIN: ValueType<string> = {
  expects: "It must be scheme and host only, like https://example.com.",
  parse(text) {
    const { protocol, origin, href } = URL.parse(text) ?? {};
    return /^https?:$/.test(protocol ?? "") && href === `${origin}/` ? origin : undefined;
  },
};
/** An S3 bucket (S3 User Guide, "General purpose bucket naming rules") or access point. */
export const BUCKET = pattern(
  /^(arn:aws[\w-]*:s3\S+|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$/,
  "It must be a bucket's name (3 to 63 of a-z, 0-9, - and .) or an access point's ARN.",
);
/** A CloudFront distribution's id. */
export const DISTRIBUTION = pattern(
  /^[A-Z0-9]{3,}$/,
  "It must be a distribution's id, like E2EXAMPLE1ABC.",
);
/** An AWS region. */
export const REGION = pattern(/^[a-z0-9-]+$/, "It must be a region's name, like eu-central-1.");
/** Folders in a bucket, given back without "/" at the ends. */
export const PREFIX: ValueType<string> = {
  expects: 'It must be folders like blog/en, without "." or ".." or an empty part.',
  parse(text) {
    const prefix = text.replace(/^\/+|\/+$/g, "");
    return prefix.split("/").some((each) => /^\.{0,2}$|[\\\p{Cc}]/u.test(each))
      ? undefined
      : prefix;
  },
};
/** A share of a whole. */
export const SHARE: ValueType<number> = {
  expects: "It must be a number from 0 to 1, like 0.2 for a fifth.",
  parse: (text) => (/^(0?\.\d+|0|1(\.0+)?)$/.test(text) ? Number(text) : undefined),
};
/** An amount of money; `10`, `0.0001`. */
export const DOLLARS: ValueType<number> = {
  expects: "It must be US dollars from 0 to 1000000, like 25 or 0.0001.",
  parse(text) {
    const usd = /^(\d{1,7}(\.\d+)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
    return usd <= 1_000_000 ? usd : undefined;
  },
};
/** Invalidation items out of the 3,000 that CloudFront lets be in progress. */
export const ITEMS: ValueType<number> = {
  expects: "It must be a whole number of items from 0 to 2900.",
  parse: (text) => (/^\d{1,4}$/.test(text) && Number(text) <= 2900 ? Number(text) : undefined),
};
/** The header with an object's cache tags: how S3 gives the metadata that ours carry. */
export const TAG_HEADER: ValueType<string> = {
  expects:
    "It must be x-amz-meta-cache-tag, the header that our objects carry; name it in the distribution's CacheTagConfig first.",
  parse: (text) => (text.toLowerCase() === "x-amz-meta-cache-tag" ? text.toLowerCase() : undefined),
};
/** A token of the HTTP API. */
export const TOKEN = pattern(
  /^nbt_[A-Za-z0-9_-]{43}$/,
  "It must be a token as `nightbake tokens add` shows it: nbt_ and 43 more characters.",
);
/** The token in a file; undefined when there is none. */
export function tokenIn(file: string): string | undefined {
  return TOKEN.parse(passwordIn(file).trim());
}
/** A file that holds one; given back absolute. */
export function tokenFileIn(cwd: string): ValueType<string> {
  return {
    expects: "It must be the path of a file that holds one line, a token.",
    parse(text) {
      const file = resolve(cwd, text);
      return tokenIn(file) === undefined ? undefined : file;
    },
  };
}
/** A host's name or address to listen on. */
export const HOST = pattern(
  /^[A-Za-z0-9.:-]{1,253}$/,
  "It must be an address or a name, like 127.0.0.1, :: or localhost.",
);
/** A TCP port; 0 means any that is free. */
export const PORT: ValueType<number> = {
  expects: "It must be a port from 0 to 65535.",
  parse: (text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined),
};
/** How often something may happen in a minute. */
export const A_MINUTE: ValueType<number> = {
  expects: "It must be a whole number from 1 to 100000.",
  parse: (text) => (/^([1-9]\d{0,4}|100000)$/.test(text) ? Number(text) : undefined),
};
/** How many of something, perhaps none. */
export const FEW: ValueType<number> = {
  expects: "It must be a whole number from 0 to 100.",
  parse: (text) => (/^(\d{1,2}|100)$/.test(text) ? Number(text) : undefined),
};
/** How many of something at a time. */
export const COUNT: ValueType<number> = {
  expects: "It must be a whole number from 1 to 1000.",
  parse: (text) => (/^([1-9]\d{0,2}|1000)$/.test(text) ? Number(text) : undefined),
};
/** How long to wait for something; `5`, `0.5`. */
export const SECONDS: ValueType<number> = {
  expects: "It must be a number of seconds from 0 to 300, like 5 or 0.5.",
  parse(text) {
    const seconds = /^\d{1,3}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    return seconds <= 300 ? seconds : undefined;
  },
};
/** A size; 0 means nothing at all. */
export const MEGABYTES: ValueType<number> = {
  expects: "It must be a whole number of megabytes up to 1000000; 0 means none.",
  parse: (text) => (/^(\d{1,6}|1000000)$/.test(text) ? Number(text) : undefined),
};

/** When something is done, as cron writes it, or never; what it says is read when it is used. */
export const CRON = pattern(
  /^(?=.{1,200}$)(off|@[a-z]+|\S+(\s+\S+){4})$/,
  "It must be five fields of cron, like 0 3 * * * for three o'clock each day, or off.",
);
/** Whether something is done. */
export const SWITCH = pattern(/^(on|off)$/, "It must be on or off.");
/** A time zone of the IANA database. */
export const TIME_ZONE: ValueType<string> = {
  expects: "It must be a time zone's name, like Europe/Berlin or UTC.",
  parse(text) {
    try {
      return new Intl.DateTimeFormat("en-US", { timeZone: text }).resolvedOptions().timeZone;
    } catch {
      return undefined;
    }
  },
};

/** A file or folder, given back absolute. */
export function fileIn(cwd: string): ValueType<string> {
  return { expects: "It must be a path.", parse: (text) => resolve(cwd, text) };
}

function url(isGood: (url: URL) => boolean, expects: string): ValueType<string> {
  return {
    expects,
    parse(text) {
      const parsed = URL.parse(text);
      return parsed !== null && isGood(parsed) ? text : undefined;
    },
  };
}

function pattern(regex: RegExp, expects: string): ValueType<string> {
  return { expects, parse: (text) => (regex.test(text) ? text : undefined) };
}

/** Values between commas. */
export function listOf<T>(type: ValueType<T>): ValueType<readonly T[]> {
  return {
    expects: `Each part between commas: ${type.expects}`,
    parse(text) {
      const all = text.split(",").map((each) => type.parse(each.trim()));
      const good = all.filter((each) => each !== undefined);
      return good.length === all.length ? good : undefined;
    },
  };
}
