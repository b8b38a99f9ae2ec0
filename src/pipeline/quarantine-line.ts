import { encodeKey, type Headers, type PageId, routeFlaw, type Site } from "../site.ts";
import { keyFromJson, keyToJson } from "./json-key.ts";

/** A page's last good version, and why there is no better one. */
export interface QuarantineLine extends PageId {
  readonly route: string;
  /** Of list windows and redirects, see `LivePage`. */
  readonly start: Uint8Array | undefined;
  /** µs */
  readonly lastmod: number | undefined;
  /** Undefined for a page that does not fail but has a route that one wants. */
  readonly error:
    | {
        readonly code: string;
        readonly message: string;
        readonly at: Readonly<Record<string, string>>;
      }
    | undefined;
  readonly body: Uint8Array;
  /** Those that the store keeps. */
  readonly headers: Partial<Headers>;
}

const MEMBERS = "kind key route start lastmod code message at body headers".split(" ");
const HEADERS = ["contentType", "cacheControl", "contentLanguage", "metadata"];

/** A line of NDJSON, with its line feed; absent members are left out. */
export function toLine(line: QuarantineLine): string {
  const { kind, key, route, start, lastmod, error, body, headers } = line;
  const value = {
    kind,
    key: keyToJson(key),
    route,
    ...(start && { start: keyToJson(start) }),
    ...(lastmod !== undefined && { lastmod }),
    ...error,
    headers,
    body: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("base64"),
  };
  return `${JSON.stringify(value)}\n`;
}

/** Reads a line of {@link toLine}, or says what is wrong with it. */
export function fromLine(text: string, { kinds }: Site): QuarantineLine | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "It is no JSON.";
  }
  if (!isRecord(value)) return "It is no object.";
  const other = Object.keys(value).find((name) => !MEMBERS.includes(name));
  if (other !== undefined) return `It has a member "${other}"; known are ${MEMBERS.join(", ")}.`;
  const { kind, route, lastmod } = value;
  if (typeof kind !== "string" || !kinds.some(({ name }) => name === kind)) {
    return `The site has no kind ${JSON.stringify(kind)}.`;
  }
  const key = keyFromJson(value["key"]);
  if (key === undefined) return "Its key is no list of values.";
  if (typeof route !== "string") return "Its route is no text.";
  const flaw = routeFlaw(route);
  if (flaw !== undefined) return `Its route ${flaw}.`;
  if (lastmod !== undefined && !Number.isSafeInteger(lastmod)) return "Its lastmod is no instant.";
  const start = value["start"] === undefined ? [] : keyFromJson(value["start"]);
  if (start === undefined) return "Its start is no list of values.";
  const rest = restOf(value);
  if (typeof rest === "string") return rest;
  return {
    ...rest,
    kind,
    key: encodeKey(key),
    route,
    start: value["start"] === undefined ? undefined : encodeKey(start),
    lastmod: lastmod as number | undefined,
  };
}

function restOf(
  value: Readonly<Record<string, unknown>>,
): Pick<QuarantineLine, "error" | "body" | "headers"> | string {
  const { code, message = "", at = {}, body, headers = {} } = value;
  if (code !== undefined && (typeof code !== "string" || !/^[a-z_]{1,40}$/.test(code))) {
    return "Its code is no code.";
  }
  if (typeof message !== "string") return "Its message is no text.";
  if (!isTexts(at)) return "Its at is no object of texts.";
  const bytes = typeof body === "string" ? Buffer.from(body, "base64") : undefined;
  if (bytes === undefined || bytes.toString("base64") !== body) return "Its body is no base64.";
  if (!isHeaders(headers)) return `Its headers are not ${HEADERS.join(", ")}.`;
  return { error: code === undefined ? undefined : { code, message, at }, body: bytes, headers };
}

function isHeaders(value: unknown): value is Partial<Headers> {
  if (!isRecord(value)) return false;
  const { metadata = {}, ...texts } = value;
  return (
    isTexts(metadata) && isTexts(texts) && Object.keys(texts).every((n) => HEADERS.includes(n))
  );
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.values(value).every((each) => typeof each === "string");
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
