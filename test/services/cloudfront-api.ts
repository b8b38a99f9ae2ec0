import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { type Faults, faultSwitch } from "./faults.ts";
import { type Batch, type Invalidation, invalidationLedger, Refused } from "./invalidations.ts";
import { escapeXml, xmlTexts } from "./xml.ts";

/**
 * How an API call can go wrong. `lost-reply`: the call was carried out and the connection ends;
 * `truncated`: it ends half-way through the answer.
 */
export type CloudFrontFault = keyof typeof REFUSALS | "lost-reply" | "truncated" | "slow";

/** Errors that are answered instead of carrying the call out. See "Common errors" in the API reference. */
const REFUSALS = {
  throttle: new Refused(400, "Throttling", "Rate exceeded"),
  "too-many": new Refused(400, "TooManyInvalidationsInProgress", "Too many are in progress"),
  "internal-error": new Refused(500, "InternalError", "Fault"),
  invalid: new Refused(400, "InvalidArgument", "Your request contains invalid paths."),
  skewed: new Refused(400, "RequestExpired", "The request has expired."),
} as const;

const SLOW_MS = 20;

/** CreateInvalidation, GetInvalidation and GetDistributionConfig of one distribution, over HTTP. */
export interface CloudFrontApi extends AsyncDisposable {
  /** For `new CloudFrontClient({ endpoint })`. */
  readonly endpoint: string;
  readonly distributionId: string;
  readonly faults: Faults<CloudFrontFault>;
  /** Every accepted batch in order; a repeated CallerReference is not accepted twice. */
  invalidations(): readonly Invalidation[];
  /** Has never heard of any of them: for tests that put everything back to an earlier moment. */
  forget(): void;
}

export interface CloudFrontApiOptions {
  /** Evicts what the items name from the cache. */
  readonly evict: (items: readonly string[]) => Promise<void>;
  /** From acceptance until the objects are evicted and the status turns Completed. */
  readonly completesAfterMs: number;
  /** What stands in `<DistributionConfig>`; undefined for credentials that may not read it. */
  readonly config?: string;
}

const XMLNS = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

/** Starts the API in this process. */
export async function startCloudFrontApi(options: CloudFrontApiOptions): Promise<CloudFrontApi> {
  const distributionId = `E${randomBytes(6).toString("hex").toUpperCase()}`;
  const ledger = invalidationLedger(options.evict, options.completesAfterMs);
  const { faults, take } = faultSwitch<CloudFrontFault>();
  const api = { distributionId, ledger, config: options.config };
  const server = createServer(async (request, response) => {
    const body = await text(request).catch(() => undefined);
    // A client that died in the middle of its request has asked for nothing.
    if (body === undefined) return;
    const fault = take({ method: request.method ?? "", path: request.url ?? "" });
    if (fault === "slow") await sleep(SLOW_MS);
    const refusal = REFUSALS[fault as keyof typeof REFUSALS];
    write(response, refusal === undefined ? answer(request, body, api) : refused(refusal), fault);
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    distributionId,
    faults,
    invalidations: ledger.all,
    forget: ledger.forget,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await ledger.close();
    },
  };
}

interface Api {
  readonly distributionId: string;
  readonly ledger: ReturnType<typeof invalidationLedger>;
  readonly config: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

function answer(request: IncomingMessage, body: string, api: Api): Answer {
  try {
    if (request.url === `/2020-05-31/distribution/${api.distributionId}/config`) {
      return { status: 200, headers: { etag: "E1" }, text: describeConfig(api) };
    }
    const invalidation = dispatch(request, body, api);
    const status = request.method === "POST" ? 201 : 200;
    const location = `${XMLNS}distribution/${api.distributionId}/invalidation/${invalidation.id}`;
    return { status, headers: { location }, text: describe(invalidation) };
  } catch (error) {
    return refused(
      error instanceof Refused ? error : new Refused(500, "InternalError", String(error)),
    );
  }
}

function write(
  response: ServerResponse,
  { status, headers, text }: Answer,
  fault: CloudFrontFault | undefined,
): void {
  if (fault === "lost-reply") return void response.destroy();
  const length = { "content-length": Buffer.byteLength(text) };
  response.writeHead(status, { "content-type": "text/xml", ...headers, ...length });
  if (fault !== "truncated") return void response.end(text);
  response.write(text.slice(0, text.length >> 1), () => response.destroy());
}

/** @throws Refused as the API reference says. Of the signature only the shape is looked at. */
function dispatch(
  { method, url = "", headers }: IncomingMessage,
  body: string,
  api: Api,
): Invalidation {
  if (!/^AWS4-HMAC-SHA256 Credential=.+Signature=/.test(headers.authorization ?? "")) {
    throw new Refused(403, "MissingAuthenticationToken", "The request is not signed.");
  }
  const route = /^\/2020-05-31\/distribution\/([^/]+)\/invalidation(?:\/([^/?]+))?$/.exec(url);
  const [, distribution, id] = route ?? [];
  if (distribution !== api.distributionId) {
    throw new Refused(404, "NoSuchDistribution", "The specified distribution does not exist.");
  }
  if (method === "POST" && id === undefined) return api.ledger.create(decodeBatch(body));
  if (method === "GET" && id !== undefined) return api.ledger.get(id);
  throw new Refused(400, "InvalidAction", `${method} ${url} is not part of this stand-in.`);
}

function describeConfig({ config }: Api): string {
  if (config === undefined) throw new Refused(403, "AccessDenied", "User is not authorized.");
  return `<?xml version="1.0"?>
<DistributionConfig xmlns="${XMLNS}">${config}</DistributionConfig>`;
}

function decodeBatch(body: string): Batch {
  const [callerReference] = xmlTexts(body, "CallerReference");
  if (!callerReference) throw new Refused(400, "MissingBody", "CallerReference is missing.");
  const items = xmlTexts(body, "Path");
  if (Number(xmlTexts(body, "Quantity")[0]) !== items.length) {
    throw new Refused(400, "InconsistentQuantities", "Quantity and Items do not match.");
  }
  return { callerReference, items };
}

function describe({ id, status, createdAt, callerReference, items }: Invalidation): string {
  const paths = items.map((item) => `<Path>${escapeXml(item)}</Path>`).join("");
  return `<?xml version="1.0"?>
<Invalidation xmlns="${XMLNS}"><Id>${id}</Id><Status>${status}</Status><CreateTime>${createdAt.toISOString()}</CreateTime><InvalidationBatch><Paths><Quantity>${items.length}</Quantity><Items>${paths}</Items></Paths><CallerReference>${escapeXml(callerReference)}</CallerReference></InvalidationBatch></Invalidation>`;
}

function refused({ status, code, message }: Refused): Answer {
  const type = status < 500 ? "Sender" : "Receiver";
  const error = `<Type>${type}</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message>`;
  const text = `<?xml version="1.0"?>
<ErrorResponse xmlns="${XMLNS}"><Error>${error}</Error><RequestId>${randomBytes(8).toString("hex")}</RequestId></ErrorResponse>`;
  return { status, headers: {}, text };
}
