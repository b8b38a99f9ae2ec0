import type { Random } from "../services/random.ts";

/** One request, as text and bytes that no client would send. */
export interface Fuzzed {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

const WORDS = [
  "", "article:42", "/articles/x/", "tag:", ":", "/", "..", "article", "everything", "editor", "nightly",
  "mariadb:0-1-8", "__proto__", "constructor", "toString", "\u0000", "\ud800", "é", "💥", "' OR 1=1 --",
  "<script>", "%00", "%", "../../etc/passwd", "a".repeat(300), "-1", "1e309", "9".repeat(40), "{}", "[]",
]; // biome-ignore format: a list to read at a glance
const NAMES = [
  "rows", "lists", "routes", "kinds", "everything", "lane", "at", "debounceMs", "longestWaitMs",
  "__proto__", "constructor", "hasOwnProperty", "ROWS", "target", "", "toString",
]; // biome-ignore format: a list to read at a glance
const RIGHT = [
  "article:42",
  "users:ann",
  "articles:1",
  "article:x",
  "nothing:1",
  "article_tags:a,1",
];
const PATHS = [
  "/v1/rebuilds", "/v1/jobs", "/v1/jobs/1", "/v1/jobs/1/cancel", "/v1/jobs/1/events", "/v1/jobs/x/events",
  "/v1", "/v2/jobs", "/health/ready/x", "/metrics/", "//", "/v1/jobs/%2e%2e/events", "/v1/jobs/%zz", "*",
]; // biome-ignore format: a list to read at a glance
const TYPES = [
  "application/json", "application/json", "application/json; charset=utf-8", "text/plain", "application/xml",
  "multipart/form-data", "application/json; charset=\"", "json", "application/x-www-form-urlencoded", "",
]; // biome-ignore format: a list to read at a glance
const METHODS = [
  "POST",
  "POST",
  "POST",
  "GET",
  "PUT",
  "DELETE",
  "PATCH",
  "OPTIONS",
  "HEAD",
  "TRACE",
];
const HEADERS = [
  "idempotency-key", "last-event-id", "accept", "content-encoding", "x-forwarded-for", "if-match", "range",
  "expect", "transfer-encoding", "upgrade", "x-http-method-override", "accept-version", "cookie", "host",
]; // biome-ignore format: a list to read at a glance

export function fuzzed(random: Random, authorization: string): Fuzzed {
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;
  const chance = (share: number) => random() < share;
  const text = () => (chance(0.8) ? pick(WORDS) : noise(random, 40));

  function value(depth: number): unknown {
    const makes = [
      text,
      () => null,
      () => chance(0.5),
      () => (random() - 0.5) * 10 ** (random() * 30),
      () => Array.from({ length: random() * 5 }, () => value(depth - 1)),
      () => record(depth - 1),
    ];
    return pick(depth > 0 ? makes : makes.slice(0, 4))();
  }

  function record(depth: number): Record<string, unknown> {
    const entries = Array.from(
      { length: random() * 5 },
      () => [pick(NAMES), value(depth)] as const,
    );
    // `__proto__` becomes a name like others.
    return Object.fromEntries(entries);
  }

  /** What is right but for one thing, perhaps. */
  function nearly(): Record<string, unknown> {
    const rows = Array.from({ length: 1 + random() * 3 }, () => pick(RIGHT));
    const wrong = chance(0.5) ? { [pick(NAMES)]: value(1) } : {};
    return { rows, lane: pick(["editor", "live", "nightly", "takedown"]), ...wrong };
  }

  function body(): Uint8Array {
    if (chance(0.2)) return Buffer.from(JSON.stringify(nearly()));
    if (chance(0.05)) return Buffer.from("[".repeat(random() * 100_000));
    if (chance(0.02)) return Buffer.alloc(600_000, " ");
    const json = JSON.stringify(chance(0.8) ? record(3) : value(3)) ?? "";
    if (chance(0.7)) return Buffer.from(json);
    const bytes = Buffer.from(json);
    for (let at = 0; at < bytes.length; at += 1) if (chance(0.05)) bytes[at] = random() * 256;
    return chance(0.5) ? bytes : bytes.subarray(0, random() * bytes.length);
  }

  const method = pick(METHODS);
  const path = chance(0.6) ? "/v1/rebuilds" : pick(PATHS) + (chance(0.5) ? query() : "");
  function query(): string {
    return `?${pick(["limit", "lane", "state", "before", "x", "limit[]"])}=${encodeURIComponent(text().toWellFormed())}`;
  }
  const headers: Record<string, string> = {
    authorization: chance(0.9) ? authorization : text(),
    "content-type": pick(TYPES),
  };
  for (let more = random() * 3; more > 1; more -= 1) headers[pick(HEADERS)] = text();
  const isBodied = !["GET", "HEAD", "TRACE"].includes(method);
  return { method, path, headers, ...(isBodied && { body: body() }) };
}

/** What no HTTP client would let through: bytes that may begin like a request. */
export function rawRequest(random: Random, authorization: string): Uint8Array {
  const { method, path, headers } = fuzzed(random, authorization);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: x\r\n${lines.join("")}`, "latin1");
  const bytes = Buffer.from(head);
  for (let at = 0; at < bytes.length; at += 1) if (random() < 0.02) bytes[at] = random() * 256;
  const long = random() < 0.1 ? `x: ${"y".repeat(40_000)}\r\n` : "";
  return Buffer.concat([bytes, Buffer.from(`${long}connection: close\r\n\r\n`)]);
}

function noise(random: Random, length: number): string {
  return String.fromCharCode(...Array.from({ length: random() * length }, () => random() * 0xffff));
}
