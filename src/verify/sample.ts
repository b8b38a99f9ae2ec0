import type { Viewer } from "../invalidate/viewer.ts";
import type { LivePage } from "../ledger/ledger.ts";
import type { Wired } from "../pipeline/run.ts";
import { bytesTag } from "../publish/bytes-tag.ts";
import { insist } from "../publish/slots.ts";
import type { ObjectStore, StoredObject } from "../publish/store.ts";
import { storedArtifact } from "../render/render.ts";
import { address, digest } from "../site.ts";
import type { Finding } from "./finding.ts";
import { isSameTag, type ListedPage, type Suspect } from "./listing.ts";

/** Pages that are chosen by chance from a stream of unknown length, each as likely as any other. */
export interface Sample {
  offer(pages: readonly ListedPage[]): void;
  chosen(): readonly ListedPage[];
}

/** Chooses up to `size`, of which alone it keeps hold (Vitter's algorithm R). */
export function openSample(size: number, random: () => number): Sample {
  const held: ListedPage[] = [];
  let seen = 0;
  return {
    offer(pages) {
      for (const page of pages) {
        seen += 1;
        const at = held.length < size ? held.length : Math.floor(random() * seen);
        if (at < size) held[at] = page;
      }
    },
    chosen: () => held,
  };
}

/** What reading pages brought up. */
export interface ReadPages {
  readonly findings: readonly Finding[];
  /** Whose object is gone by now. */
  readonly suspects: readonly Suspect[];
  readonly waiting: number;
  readonly fetched: number;
}

type Seen = { readonly finding?: Finding; readonly suspect?: Suspect; readonly isWaiting?: true };

/** Reads the objects of pages, hashes bodies with headers, and compares them with what the CDN serves. */
export async function readPages(
  wired: Pick<Wired, "ledger" | "store" | "slots">,
  pages: readonly ListedPage[],
  edge: Viewer | undefined,
): Promise<ReadPages> {
  const { slots } = wired;
  let fetched = 0;
  const readOne = async (listed: ListedPage): Promise<Seen> => {
    const { route } = listed.page;
    const { key: object, viewerPath } = address(route);
    const stored = await wired.store.get(object);
    if (stored === undefined) return { suspect: { object, listed: undefined } };
    const flaw = flawOf(wired.store, listed, stored);
    if (flaw !== undefined) return await settled(wired, listed, { object, ...flaw });
    if (edge === undefined) return {};
    fetched += 1;
    const served = await edge.get(viewerPath);
    if (served === undefined) {
      const detail = "no answer, or an error";
      return await settled(wired, listed, { object, flaw: "unreachable", detail });
    }
    if (digest(served).equals(digest(stored.body))) return {};
    const detail = `${served.length} bytes, but others than the store's`;
    return await stale(wired, listed, { object, flaw: "stale", detail });
  };
  const seen = await Promise.all(pages.map((page) => insist(slots, () => readOne(page))));
  return {
    findings: seen.flatMap(({ finding }) => finding ?? []),
    suspects: seen.flatMap(({ suspect }) => suspect ?? []),
    waiting: seen.filter(({ isWaiting }) => isWaiting).length,
    fetched,
  };
}

type Flawed = Omit<Finding, "page">;

/** What is wrong with an object that was read whole; undefined when nothing is. */
function flawOf(
  store: Pick<ObjectStore, "keepsHeaders">,
  { page, listed }: ListedPage,
  stored: StoredObject,
): Pick<Finding, "flaw" | "detail"> | undefined {
  const { hash, etag, bytes } = page;
  const { body, ...headers } = stored;
  if (hash === undefined) return undefined;
  if (!store.keepsHeaders) {
    const isSame = isSameTag(etag, bytesTag(body)) ?? body.length === bytes;
    return isSame ? undefined : { flaw: "altered", detail: `${body.length} bytes, but others` };
  }
  if (storedArtifact(address(page.route).key, body, headers).hash.equals(hash)) return undefined;
  const isBody = body.length === bytes && isSameTag(etag, listed.etag) === true;
  if (!isBody) return { flaw: "altered", detail: `${body.length} bytes, but others` };
  const { contentType, cacheControl, contentLanguage, metadata } = headers;
  return {
    flaw: "headers",
    detail: JSON.stringify({ contentType, cacheControl, contentLanguage, ...metadata }),
  };
}

/** A finding, unless a run has put the page again meanwhile, or is about to. */
async function settled(
  { ledger }: Pick<Wired, "ledger">,
  { page }: ListedPage,
  flawed: Flawed,
): Promise<Seen> {
  const [[now], intents] = await Promise.all([ledger.pages([page]), ledger.intents()]);
  const isIntended = intents.some(({ route }) => route === page.route);
  if (isIntended || !isSameVersion(now, page)) return { isWaiting: true };
  const { kind, key, route, start } = page;
  return { finding: { ...flawed, page: { kind, key, route, start } } };
}

/** What the CDN is yet to be told of may be old there. */
async function stale(
  wired: Pick<Wired, "ledger">,
  listed: ListedPage,
  flawed: Flawed,
): Promise<Seen> {
  return (await wired.ledger.hasOutbox())
    ? { isWaiting: true }
    : await settled(wired, listed, flawed);
}

function isSameVersion(now: LivePage | undefined, page: Pick<LivePage, "hash" | "route">): boolean {
  if (now?.hash === undefined || page.hash === undefined) return false;
  return now.route === page.route && Buffer.compare(now.hash, page.hash) === 0;
}
