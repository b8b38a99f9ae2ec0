import { PipelineError } from "../error.ts";
import {
  type Artifact,
  type AssetFile,
  address,
  digest,
  digestOf,
  type Headers,
  type KindHeaders,
  type LoadedPage,
  type Site,
} from "../site.ts";
import { objectHeaders } from "./headers.ts";
import { type Body, settleLinks } from "./safe-html.ts";
import type { Templates } from "./templates.ts";

/** A page whose bodies are HTML but whose links are not settled yet. */
export interface Draft {
  readonly page: LoadedPage;
  readonly bodies: Readonly<Record<string, Body>>;
  /** Routes of this site that the bodies refer to; which of them exist is a read. */
  readonly links: readonly string[];
}

/** A page ready to serve, and the references its bodies made. */
export interface Rendered {
  readonly page: LoadedPage;
  readonly artifact: Artifact;
  readonly refs: readonly { readonly route: string; readonly exists: boolean }[];
}

/** Puts a page together with its bodies, which `bodyOf` gives by name. */
export function draft(page: LoadedPage, bodyOf: (name: string) => Body): Draft {
  const names = Object.keys(page.markdown);
  const bodies = Object.fromEntries(names.map((name) => [name, bodyOf(name)]));
  const links = new Set(Object.values(bodies).flatMap((body) => body.links));
  return { page, bodies, links: [...links] };
}

/**
 * Renders one page. Pure given `templates`: equal pages give equal hashes.
 * @throws PipelineError `template_failed`, or `link_broken` where the site asks for it
 */
export function render(
  { page, bodies, links }: Draft,
  exists: ReadonlySet<string>,
  { site, templates }: { readonly site: Site; readonly templates: Templates },
): Rendered {
  const refs = links.map((route) => ({ route, exists: exists.has(route) }));
  const broken = refs.find((ref) => !ref.exists);
  if (site.bodyLinks === "error" && broken !== undefined) throw brokenLink(page, broken.route);
  const keeps = (route: string) => site.bodyLinks === "keep" || exists.has(route);
  const html = Object.fromEntries(
    Object.entries(bodies).map(([name, body]) => [name, settleLinks(body, keeps)]),
  );
  const { origin, title, description, lang } = site;
  const data = {
    ...page.data,
    site: { origin, title, description, lang },
    route: page.route,
    html,
  };
  const text = templates.render(page.template, data);
  const kind = site.kinds.find(({ name }) => name === page.kind);
  return { page, artifact: artifact(page, text, kind), refs };
}

/** An asset as it is served: its name holds its hash, so it never changes. */
export function assetArtifact({ key, body }: AssetFile): Artifact {
  return withHash(key, body, { ...objectHeaders(key), metadata: {} });
}

/** An artifact as a store kept it; headers that it does not keep are those that its key implies. */
export function storedArtifact(
  key: string,
  body: Uint8Array,
  { contentType, cacheControl, contentLanguage, metadata = {} }: Partial<Headers>,
): Artifact {
  const implied = objectHeaders(key);
  return withHash(key, body, {
    contentType: contentType ?? implied.contentType,
    cacheControl: cacheControl ?? implied.cacheControl,
    ...(contentLanguage !== undefined && { contentLanguage }),
    metadata,
  });
}

function artifact(page: LoadedPage, text: string, kind: KindHeaders | undefined): Artifact {
  const { key } = address(page.route);
  const metadata = { "cache-tag": page.tags.join(",") };
  return withHash(key, Buffer.from(text, "utf8"), { ...objectHeaders(key, kind), metadata });
}

function withHash(key: string, body: Uint8Array, headers: Headers): Artifact {
  return { key, body, ...headers, hash: digestOf([digestOfBytes(body), headers]) };
}

function digestOfBytes(body: Uint8Array): string {
  return digest(body).toString("hex");
}

function brokenLink({ route }: LoadedPage, target: string): PipelineError {
  return new PipelineError("link_broken", `The body links to ${target}, which does not exist.`, {
    hint: 'Correct the link, or set bodyLinks to "unlink" in the site definition.',
    at: { route },
  });
}
