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

/** Collects an async iterable in byte order. */
export async function sorted(keys: AsyncIterable<string>): Promise<string[]> {
  return (await Array.fromAsync(keys)).sort();
}
