import type { Listed } from "../../src/publish/store.ts";
import { type Artifact, digest } from "../../src/site.ts";

/** An artifact with a body that names its key, unless a test says otherwise. */
export function artifact(parts: Partial<Artifact> & { readonly key: string }): Artifact {
  const body = parts.body ?? Buffer.from(`<p>${parts.key}</p>`);
  return {
    contentType: "text/html; charset=utf-8",
    cacheControl: "public, max-age=0, s-maxage=31536000",
    metadata: {},
    hash: digest(body),
    ...parts,
    body,
  };
}

/** The keys of a listing in byte order. */
export async function sorted(listed: AsyncIterable<Listed>): Promise<string[]> {
  return (await Array.fromAsync(listed, ({ key }) => key)).sort();
}
