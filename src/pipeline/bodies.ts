import { type BodyKeys, bodyKeys, decodeBody, encodeBody } from "../render/kept-body.ts";
import { renderMarkdown } from "../render/markdown.ts";
import type { Body } from "../render/safe-html.ts";
import { digest, hexOf, type LoadedPage } from "../site.ts";
import type { Wired } from "./run.ts";

/** The bodies of a batch of pages: those that are kept, and those that are made on the way. */
export interface Bodies {
  /** The body that a page calls so. @throws PipelineError `body_invalid` */
  body(page: LoadedPage, name: string): Body;
  /** Keeps what was made. */
  keep(): Promise<void>;
}

/** Looks for the bodies of these pages among those that are kept. */
export async function openBodies(
  { site, bodies, bodyEngine }: Pick<Wired, "site" | "bodies" | "bodyEngine">,
  pages: readonly LoadedPage[],
): Promise<Bodies> {
  const { origin } = site;
  const named = new Map(pages.map((page) => [page, keysOf(page, origin, bodyEngine)]));
  const keys = [...named.values()].flatMap((each) => Object.values(each).flatMap(Object.values));
  const found = await bodies.get(keys);
  const kept = new Map(keys.map((key, at) => [hexOf(key), found[at]]));
  const made = new Map<string, Uint8Array>();
  return {
    body(page, name) {
      const { anywhere, atRoute } = (named.get(page) as NamedKeys)[name] as BodyKeys;
      const bytes = kept.get(hexOf(anywhere)) ?? kept.get(hexOf(atRoute));
      const known = bytes && decodeBody(bytes);
      if (known !== undefined) return known;
      const body = renderMarkdown(page.markdown[name] ?? "", { origin, route: page.route });
      const key = hexOf(body.isPlaced ? atRoute : anywhere);
      const encoded = encodeBody(body);
      kept.set(key, encoded);
      made.set(key, encoded);
      return body;
    },
    async keep() {
      const entries = [...made].map(([key, value]) => ({ key: Buffer.from(key, "hex"), value }));
      if (entries.length > 0) await bodies.set(entries);
    },
  };
}

type NamedKeys = Readonly<Record<string, BodyKeys>>;

function keysOf({ route, markdown }: LoadedPage, origin: string, engine: Uint8Array): NamedKeys {
  const keys = Object.entries(markdown).map(([name, text]) => {
    return [name, bodyKeys({ engine, origin, route, source: digest(text) })] as const;
  });
  return Object.fromEntries(keys);
}
