import { PipelineError } from "../error.ts";
import type { LivePage, Quarantined } from "../ledger/ledger.ts";
import type { StoredObject } from "../publish/store.ts";
import { address, decodeKey, keyName, type PageId, pageName } from "../site.ts";
import { type QuarantineLine, toLine } from "./quarantine-line.ts";
import type { Wired } from "./run.ts";

type Opened = Pick<Wired, "ledger" | "store">;

/** Pages whose objects are read at a time. */
const BATCH = 50;

/** A page that fails, as `nightbake quarantine` lists it. */
export interface Held {
  readonly kind: string;
  /** As people read it: `42`, `scaling,2024,1`. */
  readonly key: string;
  readonly code: string;
  readonly message: string;
  readonly at: Readonly<Record<string, string>>;
  /** µs; when it began to fail; undefined for what older releases left. */
  readonly since: number | undefined;
  /** Its last good version, if readers have one, and the release that put it. */
  readonly live: { readonly route: string; readonly release: number } | undefined;
}

/** The pages that failed at their last try, in page order. */
export async function quarantineOf({ ledger }: Pick<Wired, "ledger">): Promise<readonly Held[]> {
  const failed = await ledger.quarantined();
  const live = await ledger.pages(failed);
  return failed.map(({ kind, key, code, message, at, since }, n) => ({
    kind,
    key: keyName(decodeKey(key)),
    code,
    message,
    at: JSON.parse(at),
    since,
    live: live[n] && { route: live[n].route, release: live[n].release },
  }));
}

/**
 * The last good versions of pages that fail, as NDJSON, a page a line, in page order: what a build
 * cannot make any more of rows. It is an input of a build, as rows are: one from scratch that
 * imported it publishes the same. A page that has a route which a failing one wants is among them,
 * without an error: that it was there first is no row's word either.
 * @throws PipelineError when an object that the ledger knows is not in the store
 */
export async function* exportQuarantine(opened: Opened): AsyncGenerator<string> {
  const failed = await opened.ledger.quarantined();
  const holders = await holdersOf(opened, failed);
  const pages: readonly (PageId & Partial<Quarantined>)[] = [...failed, ...holders];
  for (let at = 0; at < pages.length; at += BATCH) {
    const some = pages.slice(at, at + BATCH);
    const live = await opened.ledger.pages(some);
    for (const [n, page] of live.entries()) {
      // Of a put that a crash cut off nobody knows what is stored; the next build puts it again.
      if (page?.hash === undefined) continue;
      yield toLine(lineOf(page, some[n], await stored(opened, page)));
    }
  }
}

function lineOf(
  { kind, key, route, start, lastmod }: LivePage,
  failed: Partial<Quarantined> | undefined,
  object: StoredObject,
): QuarantineLine {
  const { code, message, at } = failed ?? {};
  const error =
    code === undefined ? undefined : { code, message: message ?? "", at: JSON.parse(at ?? "{}") };
  const { body, ...headers } = object;
  return { kind, key, route, start, lastmod, error, body, headers };
}

async function stored({ store }: Opened, { kind, route }: LivePage): Promise<StoredObject> {
  const { key } = address(route);
  const object = await store.get(key);
  if (object !== undefined) {
    const { body, contentType, cacheControl, contentLanguage, metadata } = object;
    return {
      body,
      ...(contentType !== undefined && { contentType }),
      ...(cacheControl !== undefined && { cacheControl }),
      ...(contentLanguage !== undefined && { contentLanguage }),
      ...(metadata !== undefined && { metadata }),
    };
  }
  const message = `The ${store.name} has no object ${key}, of which the ledger knows.`;
  throw new PipelineError("store_rejected", message, {
    hint: "Build first: it puts every page again when the store is not what the ledger describes.",
    at: { kind, route, key },
  });
}

/** Live pages at routes that failing pages want, each once. */
async function holdersOf(
  { ledger, store }: Opened,
  failed: readonly Quarantined[],
): Promise<readonly LivePage[]> {
  const wanted = failed
    .filter(({ code }) => code === "route_taken")
    .map(({ at }) => (JSON.parse(at) as { readonly route?: string }).route ?? "");
  const known = new Set(failed.map(pageName));
  const routes = new Set(wanted);
  const owners = await ledger.liveFolded(wanted);
  return owners.filter(
    (page) => !known.has(pageName(page)) && (store.foldsCase || routes.has(page.route)),
  );
}
