import { readFile } from "node:fs/promises";
import { validateXML } from "xmllint-wasm";

/** One `<url>` or `<sitemap>`. */
export interface Located {
  readonly loc: string;
  readonly lastmod: string | undefined;
}

const REFERENCES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
  "&#39;": "'",
};

/** What libxml2 finds wrong in sitemaps and indexes, by the protocol's structure; empty when valid. */
export async function sitemapErrors(
  files: readonly { readonly fileName: string; readonly contents: string }[],
): Promise<readonly string[]> {
  const schema = await readFile(new URL("sitemaps.xsd", import.meta.url), "utf8");
  const { errors } = await validateXML({ xml: [...files], schema: [schema] });
  return errors.map(({ rawMessage }) => rawMessage);
}

/** The addresses of a valid sitemap or index, in its order. */
export function located(xml: string): readonly Located[] {
  const parts = xml.matchAll(/<(url|sitemap)>(.*?)<\/\1>/gs);
  return [...parts].map(([, , part = ""]) => ({
    loc: child(part, "loc") ?? "",
    lastmod: child(part, "lastmod"),
  }));
}

function child(xml: string, tag: string): string | undefined {
  const found = new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1];
  return found?.trim().replace(/&#?\w+;/g, (reference) => REFERENCES[reference] ?? reference);
}
